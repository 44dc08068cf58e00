"""POST /api/runs by a short way: the same checks and answers as the route in `runs.py`, without the framework between.

A submission is the one request that comes by the thousand. FastAPI resolves dependencies, builds a model of the answer
and enters half a dozen context managers for each request; here the body is read, checked by the same models, and handed
to the group commit. What `/docs` says of this address stands at the route.
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
INLINE_AT_ONCE = 8  # requests executing inline; the threads left over keep the page alive
LONG = 20  # runs, or
LARGE = 50_000  # bytes: more than that is made into rows by a thread, so that other requests need not wait for it

_inline_seats = anyio.CapacityLimiter(INLINE_AT_ONCE)
_key = TypeAdapter[str](Key)
_acceptance: Acceptance | None = None


def start() -> None:
    """Start the thread that accepts; called within the event loop that serves the requests."""
    global _acceptance
    loop = asyncio.get_running_loop()

    def tell(verdicts: Sequence[tuple[asyncio.Future[Answer], Verdict]]) -> None:
        loop.call_soon_threadsafe(_resolve, verdicts)  # once for the whole group

    _acceptance = Acceptance(tell)
    _acceptance.start()


def stop() -> None:
    """Accept what waits, and end."""
    if _acceptance is not None:
        _acceptance.stop()


def _resolve(verdicts: Sequence[tuple[asyncio.Future[Answer], Verdict]]) -> None:
    for future, verdict in verdicts:
        if future.done():  # nobody waits for it any more
            continue
        if isinstance(verdict, Answer):
            future.set_result(verdict)
        else:
            future.set_exception(verdict)


class FrontDoor:
    """ASGI middleware: answers `POST /api/runs` itself and passes everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = (await receive())["body"]  # whole: the guard has read it
            response = await accepted(wanted(body), key(scope), len(body))
        except Exception as error:
            response = response_to(error)
            if response.status_code == 500:
                log.error("POST %s", PATH, exc_info=error)
        await response(scope, receive, send)


def wanted(body: bytes) -> Submission:
    """The submission that `body` is.

    Raises:
        RequestValidationError, HTTPException: it is none; as FastAPI would say it.
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
    except (ValueError, RecursionError) as error:  # not UTF-8; brackets without end
        raise HTTPException(400, "There was an error parsing the body") from error


def key(scope: Scope) -> str | None:
    """The request's Idempotency-Key, if it has one.

    Raises:
        RequestValidationError: it has an unusable one.
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
    """Have a submission accepted, and send it on its way; the answer to the request.

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
    """Wake the lane's relay; or, on the inline lane, execute the accepted runs and answer with their final states."""
    if lane != "inline":
        relay.wake(lane)
        return reply_with(202, reply)
    ids = [run["id"] for run in reply["runs"]]
    final = await anyio.to_thread.run_sync(_execute_inline, ids, limiter=_inline_seats)
    if key is not None:
        await run_in_threadpool(submission.replace_reply, key, final)
    return reply_with(200, final)


def _execute_inline(ids: Sequence[str]) -> Reply:
    for run_id in ids:
        inline.execute(run_id)
    return submission.replied((run_id, submission.existing(run_id).state) for run_id in ids)


def reply_with(status: int, reply: Reply, repeated: bool = False) -> Response:
    """The answer that holds `reply`."""
    headers = {"Idempotent-Replay": "true"} if repeated else None
    return Response(to_json(reply), status, headers, media_type="application/json")
