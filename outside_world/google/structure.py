"""The handlers of the spreadsheet as a whole: `spreadsheets.get`, and the changes of `spreadsheets.batchUpdate`."""

from collections.abc import Callable
from typing import Any

from outside_world.google import a1
from outside_world.google.drive import Spreadsheet
from outside_world.google.handler import Body, Query
from outside_world.google.sheet import Refused, Sheet


def describe(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Return the answer of `spreadsheets.get`, without cells."""
    return {
        "properties": {"title": spreadsheet.id, "locale": "en_US", "timeZone": "Etc/GMT"},
        "sheets": [{"properties": properties(sheet, index)} for index, sheet in enumerate(spreadsheet.sheets)],
        "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{spreadsheet.id}/edit",
    }


def properties(sheet: Sheet, index: int) -> Body:
    """Return a sheet's properties as the API shows them."""
    return {
        "sheetId": sheet.id,
        "title": sheet.title,
        "index": index,
        "sheetType": "GRID",
        "gridProperties": {"rowCount": sheet.row_count, "columnCount": sheet.column_count},
    }


def batch_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Make a list of changes: all of them, or none."""
    before = [sheet.copy() for sheet in spreadsheet.sheets]
    try:
        return {"replies": [_change(spreadsheet, request) for request in body["requests"]]}
    except Exception:
        spreadsheet.sheets = before
        raise


def _change(spreadsheet: Spreadsheet, request: Body) -> Body:
    ((kind, change),) = request.items()
    handler = CHANGES.get(kind)
    if handler is None:
        raise Refused(f"Invalid JSON payload received. Unknown name \"{kind}\" at 'requests[0]': Cannot find field.")
    return handler(spreadsheet, change)


def _add_sheet(spreadsheet: Spreadsheet, change: Body) -> Body:
    wanted = change.get("properties", {})
    grid = wanted.get("gridProperties", {})
    title = wanted.get("title") or f"Sheet{len(spreadsheet.sheets) + 1}"
    sheet = spreadsheet.add(title, wanted.get("sheetId"), grid.get("rowCount", 1000), grid.get("columnCount", 26))
    return {"addSheet": {"properties": properties(sheet, len(spreadsheet.sheets) - 1)}}


def _delete_sheet(spreadsheet: Spreadsheet, change: Body) -> Body:
    sheet = spreadsheet.by_id(change["sheetId"])
    if len(spreadsheet.sheets) == 1:
        raise Refused("Invalid requests[0].deleteSheet: You can't remove all the sheets in a document.")
    spreadsheet.sheets.remove(sheet)
    return {}


def _update_sheet_properties(spreadsheet: Spreadsheet, change: Body) -> Body:
    wanted = change["properties"]
    sheet = spreadsheet.by_id(wanted.get("sheetId", 0))
    grid = wanted.get("gridProperties", {})
    sheet.resize(grid.get("rowCount"), grid.get("columnCount"))
    sheet.title = wanted.get("title", sheet.title)
    return {}


def _update_cells(spreadsheet: Spreadsheet, change: Body) -> Body:
    """Write cells. The other cells of the range become blank."""
    range_ = change.get("range") or change["start"]
    sheet = spreadsheet.by_id(range_.get("sheetId", 0))
    top = range_.get("startRowIndex", range_.get("rowIndex", 0))
    left = range_.get("startColumnIndex", range_.get("columnIndex", 0))
    if "range" in change:
        sheet.clear(a1.Area(None, top, left, range_.get("endRowIndex"), range_.get("endColumnIndex")))
    rows = [
        [_entered(cell.get("userEnteredValue", {})) for cell in row.get("values", [])] for row in change.get("rows", [])
    ]
    sheet.put(top, left, rows)
    return {}


def _entered(value: Body) -> Any:
    return next(iter(value.values()), "")


CHANGES: dict[str, Callable[[Spreadsheet, Body], Body]] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_sheet_properties,
    "updateCells": _update_cells,
}
