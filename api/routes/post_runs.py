"""Front door: a short way for POST /api/runs, with the checks and answers of the route in `runs.py`.

A submission is the one request that comes by the thousand. For each request FastAPI resolves dependencies, builds a
model of the answer and enters half a dozen context managers. This module leaves all that out. It reads the body, checks
it with the same models, and hands it to the group commit. The text for `/docs` is at the route.
"""

import asyncio
import json
from collections.abc import Sequence

import anyio.to_thread
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import log, response_to
from api.publishing import inline, relay, submission
from api.publishing.acceptance import Acceptance, Answer, Order, Reply, Verdict
from api.schemas import Key, Submission

PATH = "/api/runs"
INLINE_AT_ONCE = 8  # requests that execute inline at the same time; the other threads keep the page alive

# A thread makes the rows of a submission this long or this large, so that other requests do not wait for it.
LONG = 20  # runs
LARGE = 50_000  # bytes

_inline_limiter = anyio.CapacityLimiter(INLINE_AT_ONCE)
_key = TypeAdapter[str](Key)
_acceptance: Acceptance | None = None


def start() -> None:
    """Start the thread that accepts runs. Call it inside the event loop that serves the requests."""
    global _acceptance
    loop = asyncio.get_running_loop()

    def tell(verdicts: Sequence[tuple[asyncio.Future[Answer], Verdict]]) -> None:
        loop.call_soon_threadsafe(_resolve, verdicts)  # one call for the whole group

    _acceptance = Acceptance(tell)
    _acceptance.start()


def stop() -> None:
    """Accept the orders that still wait, then end the thread."""
    if _acceptance is not None:
        _acceptance.stop()


def _resolve(verdicts: Sequence[tuple[asyncio.Future[Answer], Verdict]]) -> None:
    for future, verdict in verdicts:
        if future.done():  # its client has gone
            continue
        if isinstance(verdict, Answer):
            future.set_result(verdict)
        else:
            future.set_exception(verdict)


class FrontDoor:
    """ASGI middleware: answers `POST /api/runs` itself and passes every other request on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = (await receive())["body"]  # complete: the guard has read it
            response = await accepted(wanted(body), key(scope), len(body))
        except Exception as error:
            response = response_to(error)
            if response.status_code == 500:
                log.error("POST %s", PATH, exc_info=error)
        await response(scope, receive, send)


def wanted(body: bytes) -> Submission:
    """Return the submission in `body`.

    Raises:
        RequestValidationError, HTTPException: the body is no submission; FastAPI would raise the same.
    """
    try:
        return Submission.model_validate(json.loads(body))
    except json.JSONDecodeError as error:
        why = {"error": error.msg}
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "ctx": why}
        if not body:
            found = {"type": "missing", "loc": ("body",), "msg": "Field required"}
        raise RequestValidationError([found]) from error
    except ValidationError as error:
        raise _invalid(error, "body") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or too many brackets within each other
        raise HTTPException(400, "There was an error parsing the body") from error


def key(scope: Scope) -> str | None:
    """Return the request's Idempotency-Key, or None.

    Raises:
        RequestValidationError: the key is empty, too long, or has characters other than printable ASCII.
    """
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            try:
                return _key.validate_python(value.decode("latin-1"))
            except ValidationError as error:
                raise _invalid(error, "header", "Idempotency-Key") from error
    return None


def _invalid(error: ValidationError, *place: str) -> RequestValidationError:
    return RequestValidationError([{**each, "loc": (*place, *each["loc"])} for each in error.errors()])


async def accepted(submitted: Submission, key: str | None, size: int = LARGE) -> Response:
    """Accept a submission, send it on its way, and return the answer to the request.

    Raises:
        UnknownJob, InvalidArguments, Refused, StorageUnavailable: nothing was accepted.
    """
    if size < LARGE and submitted.count < LONG:
        order = submission.order(submitted, key)
    else:
        order = await run_in_threadpool(submission.order, submitted, key)
    answer = await _in_group(order)
    if answer.repeated:
        return reply_with(200 if order.lane == "inline" else 202, answer.reply, repeated=True)
    return await send_on(order.lane, answer.reply, key)


async def _in_group(order: Order) -> Answer:
    assert _acceptance is not None, "the application has not been started"
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    _acceptance.submit(future, order)
    return await future


async def send_on(lane: str, reply: Reply, key: str | None = None) -> Response:
    """Wake the lane's relay. On the inline lane, execute the accepted runs and answer with their final states."""
    if lane != "inline":
        relay.wake(lane)
        return reply_with(202, reply)
    ids = [run["id"] for run in reply["runs"]]
    final = await anyio.to_thread.run_sync(_execute_inline, ids, limiter=_inline_limiter)
    if key is not None:
        await run_in_threadpool(submission.replace_reply, key, final)
    return reply_with(200, final)


def _execute_inline(ids: Sequence[str]) -> Reply:
    for run_id in ids:
        inline.execute(run_id)
    return submission.replied((run_id, submission.existing(run_id).state) for run_id in ids)


def reply_with(status: int, reply: Reply, repeated: bool = False) -> Response:
    """Return the HTTP answer that holds `reply`."""
    headers = {"Idempotent-Replay": "true"} if repeated else None
    return Response(to_json(reply), status, headers, media_type="application/json")
