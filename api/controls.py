"""Controls: a browser may cause faults only from a page of this kit.

The guard refuses pages of other origins, as far as the browser tells the origin. This is a second lock. Each page of
the kit carries a token. A script of another origin cannot read it. A program that is no browser needs none.
"""

import hashlib
import hmac
import secrets

from starlette.datastructures import Headers

from api.errors import Refused
from cars_bot.settings import settings

HEADER = "X-Kit-Token"
_OF_THIS_PROCESS = secrets.token_hex(32)  # for a kit without a secret; its pages do not outlive the API


def token() -> str:
    """Return the token that each page carries. With a secret, a restart of the API does not change it."""
    secret = settings().kit_secret
    return hmac.new(secret.encode(), b"controls", hashlib.sha256).hexdigest() if secret else _OF_THIS_PROCESS


def require_token(headers: Headers) -> None:
    """Check that a browser's request carries the token.

    Raises:
        Refused: 403; it does not.
    """
    from_browser = "Origin" in headers or "Sec-Fetch-Site" in headers
    if from_browser and not hmac.compare_digest(headers.get(HEADER, "").encode(), token().encode()):
        raise Refused(403, "no_token", "faults need a page of this kit that is up to date; load the page again")
