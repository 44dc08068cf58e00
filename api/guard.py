"""Guard: the checks of a request before any route sees it.

It checks four things: the name in the `Host` header, the site of the page that sends, and the size and the type of the
body (`request_body.py`). The routes check the content of the body.
"""

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from api import request_body
from api.errors import answer
from api.request_body import Receive, TooLarge, TooMuch
from cars_bot.settings import settings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

READING = {"GET", "HEAD", "OPTIONS"}
SAME_SITE = {"same-origin", "none"}  # `none`: the user typed the address

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


class Guard:
    """ASGI middleware: refuses a request or passes it on with its whole body. Adds security headers to the answer."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] += [header for header in _SECURITY_HEADERS if header[0] not in present]
            await send(message)

        headers = Headers(scope=scope)
        if not is_ours(headers.get("host", "")):
            message = "this name is not one of the kit's; use its address, or add the name to ALLOWED_HOSTS"
            await refuse(421, "wrong_host", message)(scope, receive, send_guarded)
            return
        if scope["method"] in READING:
            await self.app(scope, receive, send_guarded)
            return
        if foreign(headers):
            response = refuse(
                403, "cross_origin", "a page of another site may not write here; use the kit's own page, or curl"
            )
            await response(scope, receive, send_guarded)
            return
        cap = request_body.BODY_CAPS.get(scope["path"], request_body.BODY_CAP)
        try:
            body = await request_body.read_body(receive, headers, cap)
        except TooLarge:
            response = refuse(413, "body_too_large", f"the body is over {cap:,} bytes; send less in one request")
        except TooMuch:
            message = "too many large bodies arrive at the same time; send this one again in a moment"
            response = answer(503, "too_much_at_once", message, {"Retry-After": "5", "Connection": "close"})
        except TimeoutError:
            seconds = f"{request_body.BODY_SECONDS:.0f} s"
            response = refuse(408, "body_too_slow", f"the body did not arrive within {seconds}; send the request again")
        else:
            if body is None:
                return  # the client has gone
            if not body or request_body.is_json(headers):
                await self.app(scope, request_body.replay(body, receive), send_guarded)
                return
            message = "the body is not declared as JSON; send the header Content-Type: application/json (curl: --json)"
            response = refuse(415, "not_json", message)
        await response(scope, receive, send_guarded)


def refuse(status: int, error: str, message: str) -> Any:
    """Return a refusal. After a 408 or 413 the connection is closed, because the rest of the body may still come."""
    return answer(status, error, message, {"Connection": "close"} if status in (408, 413) else None)


@lru_cache(maxsize=64)  # nearly every request has the same name
def is_ours(host: str) -> bool:
    """Return whether a `Host` header names this machine. A foreign name can point here too (DNS rebinding).

    A browser takes a page from such a name for our own (the same origin). An attacker can own a name with a dot, but no
    address of ours and no name without a dot.
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
    """Return whether a browser says that a page of another origin sends this request. Other clients say nothing."""
    if site := headers.get("sec-fetch-site"):
        return site not in SAME_SITE
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host")
