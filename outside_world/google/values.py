"""The handlers of `spreadsheets.values`: read, write, append and clear ranges of cells."""

from typing import Any

from outside_world.google import a1
from outside_world.google.drive import Spreadsheet
from outside_world.google.handler import Body, Query
from outside_world.google.sheet import Refused, Sheet, as_text


def values_get(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Return the cells of a range: formatted text, or raw values if the query says so."""
    sheet, area = spreadsheet.find(query["range"][0])
    raw = query.get("valueRenderOption", [""])[0] in ("UNFORMATTED_VALUE", "FORMULA")
    rows = [list(row) if raw else [as_text(cell) for cell in row] for row in sheet.get(area)]
    if query.get("majorDimension", [""])[0] == "COLUMNS":
        width = max((len(row) for row in rows), default=0)
        rows = [[row[column] if column < len(row) else "" for row in rows] for column in range(width)]
    bottom = min(area.bottom or sheet.row_count, sheet.row_count)
    right = min(area.right or sheet.column_count, sheet.column_count)
    result: Body = {
        "range": a1.write(sheet.title, area.top, area.left, bottom, right),
        "majorDimension": "ROWS",
    }
    return result | ({"values": rows} if rows else {})


def values_batch_get(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Return several ranges at once."""
    ranges = query.get("ranges", [])
    return {"valueRanges": [values_get(spreadsheet, {**query, "range": [range_]}, {}) for range_ in ranges]}


def values_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Write a block of cells. It begins at the range's first cell."""
    if "valueInputOption" not in query and "valueInputOption" not in body:
        raise Refused("'valueInputOption' is required but not specified")
    sheet, area = spreadsheet.find(query["range"][0])
    rows = body.get("values", [])
    if body.get("majorDimension") == "COLUMNS":
        rows = [list(row) for row in zip(*rows, strict=True)]
    sheet.put(area.top, area.left, rows)
    return _updated(sheet, area.top, area.left, rows)


def values_batch_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Write several blocks at once."""
    option = {"valueInputOption": [body["valueInputOption"]]}
    responses = [
        {"spreadsheetId": spreadsheet.id} | values_update(spreadsheet, {**option, "range": [block["range"]]}, block)
        for block in body.get("data", [])
    ]
    return {"responses": responses, "totalUpdatedCells": sum(each["updatedCells"] for each in responses)}


def values_append(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Add rows below the table."""
    if "valueInputOption" not in query:
        raise Refused("'valueInputOption' is required but not specified")
    sheet, _ = spreadsheet.find(query["range"][0])
    rows = body.get("values", [])
    top = sheet.append(rows)
    updates = {"spreadsheetId": spreadsheet.id} | _updated(sheet, top, 0, rows)
    return {"tableRange": a1.write(sheet.title, 0, 0, max(top, 1), sheet.column_count), "updates": updates}


def values_clear(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Blank a range."""
    sheet, area = spreadsheet.find(query["range"][0])
    sheet.clear(area)
    return {"clearedRange": query["range"][0]}


def values_batch_clear(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Blank several ranges."""
    for range_ in body.get("ranges", []):
        values_clear(spreadsheet, {"range": [range_]}, {})
    return {"clearedRanges": body.get("ranges", [])}


def _updated(sheet: Sheet, top: int, left: int, rows: list[list[Any]]) -> Body:
    width = max((len(row) for row in rows), default=0)
    return {
        "updatedRange": a1.write(sheet.title, top, left, top + len(rows), left + width),
        "updatedRows": len(rows),
        "updatedColumns": width,
        "updatedCells": sum(len(row) for row in rows),
    }
