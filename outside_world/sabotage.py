"""Carries out what the switchboard decided, outside of the application, where a connection can still be cut."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outside_world.error_shapes import broken, throttled
from outside_world.faults import Fault
from outside_world.world import World

SERVICES = {"/openai/": "openai", "/telegram/": "telegram", "/google/": "google"}
GARBAGE = b"<html><head><title>502</title></head><body>\x00\xff upstream said {{{ not json</body></html>"
CHUNK = b"x" * 65_536


def service_of(path: str) -> str | None:
    """The service a path belongs to; None for the control room, the page and the health check."""
    for prefix, service in SERVICES.items():
        if path.startswith(prefix):
            return service
    return None


class Saboteur:
    """ASGI application around the real one: counts each request to a service and lets faults happen to it."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = service_of(scope["path"]) if scope["type"] == "http" else None
        if service is None:
            await self.app(scope, receive, send)
            return
        self.world.count(service, "requests")
        fault = self.world.switchboard.draw(service, scope["path"])
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
    """Answer 200 with something that nobody can parse."""
    await Response(GARBAGE, media_type="application/json")(scope, receive, send)


async def nonsense(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the language stand-in answer in a proper envelope, with content that breaks the schema."""
    scope.setdefault("state", {})["nonsense"] = True
    await app(scope, receive, send)


async def hang(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Say nothing until the client gives up or the time is over."""
    try:
        async with asyncio.timeout(fault.seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    await _close_connection(send)


async def drip(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Do the act and let its reply out in twenty pieces: each read succeeds, the whole takes `seconds`."""
    start, body = await _perform(app, scope, receive)
    await send(start)
    size = max(1, len(body) // 20)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(fault.seconds / len(pieces))
    await send({"type": "http.response.body", "body": b""})


async def cut(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection before anything is done."""
    await _close_connection(send)


async def lose_reply(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Do the act, then close the connection: the client cannot know."""
    await _perform(app, scope, receive)
    await _close_connection(send)


async def huge(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with valid JSON that is far too long to hold."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"ok":true,"padding":"', "more_body": True})
    for _ in range(fault.megabytes * 16):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b'"}'})


async def answer(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what was ordered, word by word."""
    if fault.act:
        await _perform(app, scope, receive)
    as_text = isinstance(fault.body, str)
    text, kind = (fault.body, "text/html") if as_text else (json.dumps(fault.body), "application/json")
    await Response(text, fault.status, fault.headers, media_type=kind)(scope, receive, send)


async def _perform(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Run the application and keep its reply instead of sending it."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _close_connection(send: Any) -> None:
    """Drop the TCP connection under uvicorn's feet; ASGI itself has no word for it."""
    send.__self__.transport.abort()
    await asyncio.sleep(0)  # let uvicorn notice, or it would try to answer 500


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
