"""Error answers: one shape for programs, and a page for people.

    {"error": "unknown_job", "message": "no job is called 'x'; there are: …"}

A program can branch on `error`, which does not change. `message` says what is wrong and what to do about it. A
person's browser gets the same message as a page.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from cars_bot.errors import InvalidArguments, NotConfigured, StorageUnavailable, UnknownJob

log = logging.getLogger(__name__)

RETRY_AFTER = "2"  # seconds a client should wait while the database is away


class Problem(BaseModel):
    """The body of every 4xx and 5xx answer."""

    error: str
    message: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": "invalid_arguments",
                "message": "priority 9 is out of range; queue 'default' takes 0 to 5",
            }
        }
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route, for /docs."""
    meanings = {
        400: "The body is not JSON", 403: "The page that sends this may not", 404: "No such run",
        409: "The run's state does not allow it",
        413: "The body is too large", 415: "The body is not declared as JSON",
        422: "The request is invalid; the message says why",
        503: "The database does not answer; send the request again",
    }  # fmt: skip
    return {status: {"model": Problem, "description": meanings[status]} for status in statuses}


class Refused(Exception):
    """Raised by a route to answer with `status` and a `Problem`."""

    def __init__(self, status: int, error: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.headers = status, error, message, headers


def unknown_run(run_id: str) -> Refused:
    """Return the 404 for an id that no run has."""
    return Refused(404, "unknown_run", f"there is no run {run_id[:60]!r}; GET /api/runs lists the runs")


def answer(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the JSON answer. Lone surrogates (half an emoji) are replaced: a client can send them, escaped."""
    body = {"error": error, "message": message.encode(errors="replace").decode()}
    return JSONResponse(body, status, headers=headers)


_HINTS = {
    404: "nothing has this address; the page is at /, the description of the API at /docs",
    405: "this address does not accept that method; /docs lists the methods of each address",
}


def _in_words(error: dict[str, Any]) -> str:
    """Return one of pydantic's errors as a sentence, its place first: `body.count: Input should be …`."""
    place = ".".join(str(part) for part in error["loc"]) or "request"
    if error["type"] == "extra_forbidden":
        return f"{place}: this field is unknown; leave it out"
    if error["type"] == "missing":
        return f"{place}: is missing; /docs shows the fields of each request"
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


def _refused(error: Refused) -> Response:
    return answer(error.status, error.error, error.message, error.headers)


def _http(error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}.get(error.status_code, "refused")
    message = _HINTS.get(error.status_code, str(error.detail))
    return answer(error.status_code, code, message, dict(error.headers or {}))


def _invalid(error: RequestValidationError) -> Response:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        why = found[0].get("ctx", {}).get("error", "")
        return answer(400, "malformed_json", f"the body is not JSON ({why}); check its quotes and commas")
    return answer(422, "invalid_request", "; ".join(map(_in_words, found)))


def _unavailable(error: StorageUnavailable) -> Response:
    message = f"{error}; nothing was accepted, so send the request again in a moment"
    return answer(503, "storage_unavailable", message, {"Retry-After": RETRY_AFTER})


HANDLERS: dict[type[Exception], Callable[[Any], Response]] = {
    Refused: _refused,
    HTTPException: _http,
    RequestValidationError: _invalid,
    UnknownJob: lambda error: answer(422, "unknown_job", str(error)),
    InvalidArguments: lambda error: answer(422, "invalid_arguments", str(error)),
    NotConfigured: lambda error: answer(503, "not_configured", str(error)),
    StorageUnavailable: _unavailable,
    DataError: lambda error: answer(422, "invalid_value", f"the database cannot store a value: {error.orig}"),
    Exception: lambda error: answer(500, "internal", f"the API failed ({type(error).__name__}); see its log"),
}


def response_to(error: Exception) -> Response:
    """Return the answer to `error`: that of its class in `HANDLERS`, or of the nearest base class."""
    return next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)(error)


def install(app: FastAPI, as_page: Callable[[Request, JSONResponse, str], Response]) -> None:
    """Make `app` answer errors as above. `as_page` turns an answer into a page if a person's browser asked."""

    def handler(respond: Callable[[Any], Response]) -> Callable[[Request, Exception], Any]:
        async def handle(request: Request, error: Exception) -> Response:
            response = respond(error)
            if response.status_code == 500:
                log.error("%s %s", request.method, request.url.path, exc_info=error)
            wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
            if wants_page and isinstance(response, JSONResponse) and not request.url.path.startswith("/api"):
                return as_page(request, response, json.loads(bytes(response.body))["message"])
            return response

        return handle

    for kind, respond in HANDLERS.items():
        app.add_exception_handler(kind, handler(respond))
