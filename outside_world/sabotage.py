"""Saboteur: carries out the decisions of the switchboard, outside of the application, where it can cut a connection."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outside_world.error_shapes import broken, throttled
from outside_world.faults import Fault
from outside_world.world import World

SERVICES = {"/openai/": "openai", "/telegram/": "telegram", "/google/": "google"}
GARBAGE = b"<html><head><title>502</title></head><body>\x00\xff upstream said {{{ not json</body></html>"
CHUNK = b"x" * 65_536
GZIP = (b"content-encoding", b"gzip")


def service_of(path: str) -> str | None:
    """Return the service that a path belongs to; None for the control room, the page and the health check."""
    for prefix, service in SERVICES.items():
        if path.startswith(prefix):
            return service
    return None


class Saboteur:
    """ASGI application around the real one: counts each request to a service, and makes its fault happen."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = service_of(scope["path"]) if scope["type"] == "http" else None
        if service is None:
            await self.app(scope, receive, send)
            return
        self.world.count(service, "requests")
        fault = self.world.switchboard.draw(service, scope["path"], Headers(scope=scope).get("X-Sender"))
        if fault is None:
            await self.app(scope, receive, send)
            return
        self.world.count(service, f"fault:{fault.fault}")
        await ACTS[fault.fault](self.app, fault, scope, receive, send)


async def throttle(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse with 429 and say when to come back."""
    await throttled(fault.service, fault.retry_after)(scope, receive, send)


async def error(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Fail with 500."""
    await broken(fault.service)(scope, receive, send)


async def garbage(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 200 with a body that no client can parse."""
    await Response(GARBAGE, media_type="application/json")(scope, receive, send)


async def nonsense(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the stand-in for OpenAI answer in a correct envelope, with content that breaks the schema."""
    scope.setdefault("state", {})["nonsense"] = True
    await app(scope, receive, send)


async def hang(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Send nothing until the client gives up or the time is over."""
    try:
        async with asyncio.timeout(fault.seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    await _close_connection(send)


async def drip(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Do the act, and send its reply in about twenty pieces. Each read succeeds; the whole takes `seconds`."""
    start, body = await _perform(app, scope, receive)
    await send(start)
    size = max(1, len(body) // 20)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(fault.seconds / len(pieces))
    await send({"type": "http.response.body", "body": b""})


async def cut(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection and do nothing else."""
    await _close_connection(send)


async def lose_reply(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Do the act, then close the connection. The client cannot know that it was done."""
    await _perform(app, scope, receive)
    await _close_connection(send)


async def huge(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with valid JSON that is far too long to keep in memory."""
    headers = [(b"content-type", b"application/json")] + ([GZIP] if fault.packed else [])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    pack = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # 16: gzip
    for piece in (b'{"ok":true,"padding":"', *[CHUNK] * (fault.megabytes * 16), b'"}'):
        body = pack.compress(piece) if fault.packed else piece
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": pack.flush() if fault.packed else b""})


async def answer(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer exactly as the order says."""
    if fault.act:
        await _perform(app, scope, receive)
    as_text = isinstance(fault.body, str)
    text, kind = (fault.body, "text/html") if as_text else (json.dumps(fault.body), "application/json")
    response = Response(text, fault.status, fault.headers, media_type=kind)
    if fault.packed:
        response = Response(gzip.compress(response.body), fault.status, fault.headers, media_type=kind)
        response.raw_headers.append(GZIP)
    await response(scope, receive, send)


async def _perform(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Run the application, and return its reply instead of sending it."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _close_connection(send: Any) -> None:
    """Abort uvicorn's TCP connection from outside; ASGI itself has no message for that."""
    send.__self__.transport.abort()
    await asyncio.sleep(0)  # uvicorn must notice it now, or it would try to answer 500


ACTS: dict[str, Callable[[ASGIApp, Fault, Scope, Receive, Send], Awaitable[None]]] = {
    "throttle": throttle,
    "error": error,
    "garbage": garbage,
    "nonsense": nonsense,
    "hang": hang,
    "drip": drip,
    "cut": cut,
    "lose_reply": lose_reply,
    "huge": huge,
    "answer": answer,
}
