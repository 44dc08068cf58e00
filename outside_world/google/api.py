"""The part of Google that gspread talks to: the OAuth token endpoint and Sheets v4.

The stand-in makes a spreadsheet at the first request for it.
Reference: https://developers.google.com/workspace/sheets/api/reference/rest
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from outside_world.error_shapes import google_error, json_response
from outside_world.google import structure, values
from outside_world.google.handler import Handler
from outside_world.google.sheet import Refused
from outside_world.world import World

GRANTS = ("refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer")


def build_router(world: World) -> APIRouter:
    """Return the routes under /google, for `world`."""
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
    """Split a path such as `ID/values/RANGE:append` into the id, the name of the handler and the range."""
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


HANDLERS: dict[str, Handler] = {
    "spreadsheet": structure.describe,
    "spreadsheet:batchUpdate": structure.batch_update,
    "values:get": values.values_get,
    "values:update": values.values_update,
    "values:append": values.values_append,
    "values:clear": values.values_clear,
    "values:batchGet": values.values_batch_get,
    "values:batchUpdate": values.values_batch_update,
    "values:batchClear": values.values_batch_clear,
}
