"""Who may ask: programs, and our own page; not another site's page in somebody's browser.

A page of another site can send requests to loopback. A name that its owner made to point here (DNS rebinding) would
even let it read the answers. So the `Host` must be an address or a name of ours, and another origin gets our
pages only. Programs send neither `Origin` nor `Sec-Fetch-Site` and are let through.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = ("/", "/docs")  # another page may link here; all else changes something, or tells what only programs ask
WRONG_HOST = "the outside world does not go by that name; ask by its address, such as 127.0.0.1\n"
FOREIGN = "another site's page may not send here; use curl, or the kit's own commands\n"


class Guard:
    """ASGI application around the real one: refuses what another site's page asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not is_ours(headers.get("host", "")):
            await PlainTextResponse(WRONG_HOST, 421)(scope, receive, send)
        elif is_foreign(headers) and not (scope["method"] == "GET" and scope["path"] in PAGES):
            await PlainTextResponse(FOREIGN, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_ours(host: str) -> bool:
    """Whether a `Host` is an address, a name without a dot (a stranger can own neither), or one of `ALLOWED_HOSTS`."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # half an IPv6 address
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        allowed = os.environ.get("ALLOWED_HOSTS", "").lower().replace(" ", "").split(",")
        return bool(name) and ("." not in name or name.endswith(".localhost") or name in allowed)
    return True


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another origin's page makes this request."""
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host")
