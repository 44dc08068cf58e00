"""Guard against pages of other sites: a stranger's page in a student's browser must not order faults here.

A program sends no headers about its origin, and passes. A browser sends two: the site that a request comes from, and
the host name that it asks for. Anybody can own a name with a dot and point it to this machine (DNS rebinding).
"""

import ipaddress
import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = {"/", "/docs"}  # other pages may link here; all else has effects, also by GET: Telegram's methods
OWN_SITE = {"same-origin", "none"}  # `none`: the user typed the address


class Guard:
    """ASGI middleware: refuses requests from another site's page, and requests for a foreign host name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request or pass it on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if not is_local(headers.get("host", "")):
                why = "the outside world does not have this host name; use its address, such as 127.0.0.1"
                await JSONResponse({"error": why}, 421)(scope, receive, send)
                return
            if is_foreign(headers) and not (scope["method"] == "GET" and scope["path"] in PAGES):
                why = "a page of another site sent this request, and it may not; use curl, or the page at /docs"
                await JSONResponse({"error": why}, 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_local(host: str) -> bool:
    """True if a `Host` is an address, a name that nobody can own (`a`, `a.localhost`), or one of ALLOWED_HOSTS."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # an IPv6 address without its second bracket
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        allowed = os.environ.get("ALLOWED_HOSTS", "").lower().replace(" ", "").split(",")
        return "." not in name or name.endswith(".localhost") or name in allowed
    return True


def is_foreign(headers: Headers) -> bool:
    """Return whether a browser says that a page of another origin makes this request."""
    if site := headers.get("sec-fetch-site"):
        return site not in OWN_SITE
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host")
