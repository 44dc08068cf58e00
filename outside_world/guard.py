"""Keeps pages of other sites away: a browser that a student has open must not order faults here in a stranger's name.

Programs say nothing about where they come from, and pass. A browser says from which site a request comes, and it names
the host that it means: a name with a dot may be anybody's, made to point to this machine (DNS rebinding).
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

READING = {"GET", "HEAD", "OPTIONS"}
OWN_SITE = {"same-origin", "none"}  # `none`: typed in by the user


class Guard:
    """ASGI middleware: refuses what another site's page sends, and whatever asks for a foreign name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if not is_local(headers.get("host", "")):
                why = "the outside world does not go by that name; ask by its address, such as 127.0.0.1"
                await JSONResponse({"error": why}, 421)(scope, receive, send)
                return
            if scope["method"] not in READING and is_foreign(headers):
                why = "another site's page may not send here; use the switchboard with curl, or this page"
                await JSONResponse({"error": why}, 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_local(host: str) -> bool:
    """Whether a `Host` header is an address, or a name that nobody can own: without a dot, or under `localhost`."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # half an IPv6 address
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(".localhost")
    return True


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin makes this request."""
    if site := headers.get("sec-fetch-site"):
        return site not in OWN_SITE
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host")
