"""What stands in front of every route: by what name we go, who may write from a browser, and how big a body may be, of
what kind, how slow.

The body is read here, whole, before a route sees any of it: so its size is held to the cap whether or not a length was
announced, and a client that sends a byte a minute holds a buffer and not a worker thread. What the body says is the
routes' business.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from api.errors import answer
from cars_bot.settings import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_CAP = 1_000_000  # bytes
BODY_CAPS = {"/api/posts": 16_000_000}  # an export of a channel
BODY_SECONDS = 20.0
SMALL = 64 * 1024  # bytes; smaller bodies are always taken
BODIES_CAP = 64_000_000  # bytes that bigger ones may have together while they are on their way

READING = {"GET", "HEAD", "OPTIONS"}
SAME_SITE = {"same-origin", "none"}  # `none`: typed in by the user

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SECURITY_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class TooLarge(Exception):
    """The body is over its cap."""


class TooMuch(Exception):
    """All bodies that are being read are too big together."""


class Guard:
    """ASGI middleware: refuses, or passes on a request with its body complete; adds security headers to each answer."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told = {name for name, _ in message["headers"]}
                message["headers"] += [header for header in _SECURITY_HEADERS if header[0] not in told]
            await send(message)

        headers = Headers(scope=scope)
        if not is_ours(headers.get("host", "")):
            message = "this kit does not go by that name; ask by its address, or set ALLOWED_HOSTS to the name"
            await refuse(421, "wrong_host", message)(scope, receive, send_guarded)
            return
        if scope["method"] in READING:
            await self.app(scope, receive, send_guarded)
            return
        if foreign(headers):
            response = refuse(
                403, "cross_origin", "another site's page may not send here; use the kit's own page, or curl"
            )
            await response(scope, receive, send_guarded)
            return
        cap = BODY_CAPS.get(scope["path"], BODY_CAP)
        try:
            body = await read_body(receive, headers, cap)
        except TooLarge:
            response = refuse(413, "body_too_large", f"the body is over {cap:,} bytes; send less at once")
        except TooMuch:
            message = "too many big bodies are on their way; send it again in a moment"
            response = answer(503, "too_much_at_once", message, {"Retry-After": "5", "Connection": "close"})
        except TimeoutError:
            response = refuse(408, "body_too_slow", f"the body did not arrive within {BODY_SECONDS:.0f} s")
        else:
            if body is None:
                return  # the client has gone
            if not body or is_json(headers):
                await self.app(scope, replay(body, receive), send_guarded)
                return
            response = refuse(
                415, "not_json", "send JSON, with the header Content-Type: application/json (curl: --json)"
            )
        await response(scope, receive, send_guarded)


def refuse(status: int, error: str, message: str) -> Any:
    """An answer after which the connection is closed: an unread body may still be on its way."""
    return answer(status, error, message, {"Connection": "close"} if status in (408, 413) else None)


@lru_cache(maxsize=64)  # nearly every request names the same
def is_ours(host: str) -> bool:
    """Whether a `Host` header names this machine, and not a foreign name that was made to point here (DNS rebinding).

    A page from such a name counts as the same origin to its browser. An attacker can own a name, but no address, and
    no name without a dot.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # half an IPv6 address
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(".localhost") or name in settings().allowed_hosts
    return True


def foreign(headers: Headers) -> bool:
    """Whether a browser says that another origin's page makes this request. What is no browser says nothing."""
    if site := headers.get("sec-fetch-site"):
        return site not in SAME_SITE
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host")


def is_json(headers: Headers) -> bool:
    """Whether the body is declared as JSON."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class _OnTheirWay:
    """How much of the bigger bodies is in memory."""

    bytes = 0


_on_their_way = _OnTheirWay()


async def read_body(receive: Receive, headers: Headers, cap: int) -> bytes | None:
    """The whole body; None if the client went away while sending it.

    Raises:
        TooLarge: it is over `cap` bytes, or announced as such.
        TooMuch: with all the others on their way it is.
        TimeoutError: it took longer than `BODY_SECONDS`.
    """
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > cap:
        raise TooLarge
    body = bytearray()
    held = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > cap:
                    raise TooLarge
                if not message.get("more_body"):
                    return bytes(body)
                if len(body) > SMALL:
                    _on_their_way.bytes += len(body) - held
                    held = len(body)
                    if _on_their_way.bytes > BODIES_CAP:
                        raise TooMuch
    finally:
        _on_their_way.bytes -= held


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body that was read, and then what comes after it."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> MutableMapping[str, Any]:
        return pending.pop() if pending else await receive()

    return next_message
