"""The part of Google that gspread talks to: the OAuth token endpoint and Sheets v4.

https://developers.google.com/workspace/sheets/api/reference/rest. A spreadsheet exists once it is asked for.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from outside_world import a1
from outside_world.error_shapes import google_error, json_response
from outside_world.sheets import Refused, Sheet, Spreadsheet, as_text
from outside_world.world import World

GRANTS = ("refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer")
Query = dict[str, list[str]]
Body = dict[str, Any]


def build_router(world: World) -> APIRouter:
    """Routes under /google, served from `world`."""
    router = APIRouter(prefix="/google")

    @router.post("/token")
    async def token(request: Request) -> Response:
        form = await request.form()
        if form.get("grant_type") not in GRANTS:
            return json_response(400, {"error": "unsupported_grant_type"})
        world.count("google", "token")
        reply = {"access_token": world.drive.issue_token(), "expires_in": 3600, "token_type": "Bearer"}
        return json_response(200, reply)

    @router.api_route("/v4/spreadsheets/{path:path}", methods=["GET", "PUT", "POST"])
    async def sheets(path: str, request: Request) -> Response:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not world.drive.knows_token(credential):
            return google_error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        spreadsheet_id, verb, range_ = route(request.method, path)
        handler = HANDLERS.get(verb)
        if handler is None:
            return google_error(404, "Requested entity was not found.", "NOT_FOUND")
        world.count("google", verb)
        raw = await request.body()
        try:
            body = await request.json() if raw else {}
            query = {key: request.query_params.getlist(key) for key in request.query_params}
            query["range"] = [range_]
            spreadsheet = world.drive.open(spreadsheet_id)
            result = handler(spreadsheet, query, body)
            spreadsheet.check_size()
        except Refused as refusal:
            return google_error(400, str(refusal), "INVALID_ARGUMENT")
        except (KeyError, TypeError, ValueError) as error:
            return google_error(400, f"Invalid JSON payload received: {error}", "INVALID_ARGUMENT")
        return json_response(200, {"spreadsheetId": spreadsheet_id, **result})

    return router


def route(method: str, path: str) -> tuple[str, str, str]:
    """Split `ID/values/RANGE:append` and its relatives into id, handler name and range."""
    spreadsheet_id, slash, rest = path.partition("/values")
    if not slash:
        spreadsheet_id, _, verb = path.partition(":")
        return spreadsheet_id, f"spreadsheet:{verb}" if verb else "spreadsheet", ""
    if rest.startswith(":"):
        return spreadsheet_id, f"values{rest}", ""
    range_ = rest.removeprefix("/")
    for verb in ("append", "clear"):
        if method == "POST" and range_.endswith(f":{verb}"):
            return spreadsheet_id, f"values:{verb}", range_.removesuffix(f":{verb}")
    return spreadsheet_id, {"GET": "values:get", "PUT": "values:update"}.get(method, ""), range_


def describe(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """spreadsheets.get without cells."""
    return {
        "properties": {"title": spreadsheet.id, "locale": "en_US", "timeZone": "Etc/GMT"},
        "sheets": [{"properties": properties(sheet, index)} for index, sheet in enumerate(spreadsheet.sheets)],
        "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{spreadsheet.id}/edit",
    }


def properties(sheet: Sheet, index: int) -> Body:
    """A sheet's properties as the API shows them."""
    return {
        "sheetId": sheet.id,
        "title": sheet.title,
        "index": index,
        "sheetType": "GRID",
        "gridProperties": {"rowCount": sheet.row_count, "columnCount": sheet.column_count},
    }


def values_get(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """The cells of a range, as formatted text unless raw values are asked for."""
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
    """Several ranges at once."""
    ranges = query.get("ranges", [])
    return {"valueRanges": [values_get(spreadsheet, {**query, "range": [range_]}, {}) for range_ in ranges]}


def values_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Write a block of cells from the range's corner on."""
    if "valueInputOption" not in query and "valueInputOption" not in body:
        raise Refused("'valueInputOption' is required but not specified")
    sheet, area = spreadsheet.find(query["range"][0])
    rows = body.get("values", [])
    if body.get("majorDimension") == "COLUMNS":
        rows = [list(row) for row in zip(*rows, strict=True)]
    sheet.put(area.top, area.left, rows)
    return _updated(sheet, area.top, area.left, rows)


def values_batch_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """Several blocks at once."""
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


def batch_update(spreadsheet: Spreadsheet, query: Query, body: Body) -> Body:
    """A list of changes, all of them or none."""
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
    """Write cells; those of the range that are not given become blank."""
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


def _updated(sheet: Sheet, top: int, left: int, rows: list[list[Any]]) -> Body:
    width = max((len(row) for row in rows), default=0)
    return {
        "updatedRange": a1.write(sheet.title, top, left, top + len(rows), left + width),
        "updatedRows": len(rows),
        "updatedColumns": width,
        "updatedCells": sum(len(row) for row in rows),
    }


HANDLERS: dict[str, Callable[[Spreadsheet, Query, Body], Body]] = {
    "spreadsheet": describe,
    "spreadsheet:batchUpdate": batch_update,
    "values:get": values_get,
    "values:update": values_update,
    "values:append": values_append,
    "values:clear": values_clear,
    "values:batchGet": values_batch_get,
    "values:batchUpdate": values_batch_update,
    "values:batchClear": values_batch_clear,
}
CHANGES: dict[str, Callable[[Spreadsheet, Body], Body]] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_sheet_properties,
    "updateCells": _update_cells,
}
