"""The gspread library, pointed at the configured address and bounded. Imported at the first call only: it is heavy."""

from typing import Any

import gspread
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials, service_account
from gspread.http_client import HTTPClient

from cars_bot.boundary import outside
from cars_bot.clients import answers, limits
from cars_bot.errors import Permanent
from cars_bot.settings import Settings

SCOPES = ["https://www.googleapis.com/auth/spreadsheets"]
GOOGLE_HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
CHUNK_BYTES = 65_536


class Refused(Exception):
    """An answer that is no success, as it came: gspread's own error cannot be made of every body."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response


class Bounded(requests.Session):
    """A session whose answers stay within our limits; the answers of the token's endpoint too."""

    def bound(self, base_url: str | None) -> "Bounded":
        """Settle what holds for every request."""
        self.headers.update(limits.PACKED)
        self.trust_env = limits.use_proxies(base_url)
        return self

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """See `requests.Session.send`. A redirect is not followed: it would turn a POST into a GET."""
        how |= {"stream": True, "allow_redirects": False, "timeout": (limits.CONNECT_SECONDS, limits.DEADLINE_SECONDS)}
        response = super().send(request, **how)
        read_within_limits(response)
        return response


class AuthorizedBounded(Bounded, AuthorizedSession):  # type: ignore[misc]
    """The same, with Google's token in each request."""

    def __init__(self, where: Settings) -> None:
        tokens = Request(Bounded().bound(where.sheets_base_url))
        AuthorizedSession.__init__(self, _credentials(where), auth_request=tokens)
        self.bound(where.sheets_base_url)


class Client(HTTPClient):  # type: ignore[misc]
    """Rebases Google's two hosts, which gspread offers no option for."""

    base_url: str | None = None

    def request(self, method, endpoint, params=None, data=None, json=None, files=None, headers=None):  # type: ignore[no-untyped-def]
        response = self.session.request(
            method, rebase(endpoint, self.base_url), params=params, data=data, json=json, files=files, headers=headers
        )
        if not answers.is_done(response.status_code):
            raise Refused(response)
        return response


def build(where: Settings) -> gspread.Client:
    """A gspread client without retries (no BackOffHTTPClient: waiting is the queue's business, not a worker's).

    Raises:
        Permanent: the service account's key file cannot be used.
    """
    client = gspread.Client(auth=None, session=AuthorizedBounded(where), http_client=Client)
    client.http_client.base_url = where.sheets_base_url
    return client


def rebase(url: str, base: str | None) -> str:
    """The same path at `base`; unchanged if that is None."""
    for host in GOOGLE_HOSTS:
        if base is not None and url.startswith(host):
            return base.rstrip("/") + url.removeprefix(host)
    return url


def read_within_limits(response: requests.Response) -> None:
    """Read the body piece by piece; `requests` itself knows a timeout for each piece only.

    Raises:
        limits.LimitExceeded: too long, in seconds or in bytes.
    """
    allowance = limits.Allowance(response.headers.pop("content-encoding", None))
    pieces = []
    try:
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=False):
            pieces.append(allowance.spend(piece))
    except limits.LimitExceeded:
        response.close()
        raise
    response._content = b"".join(pieces)  # where `requests` keeps a body that it has read itself


def _credentials(where: Settings) -> Credentials:
    """The service account of the key file, or a made-up user whose token the stand-in refreshes.

    Raises:
        Permanent: the key file is missing or is none; the message says what to do.
    """
    if where.google_service_account_file:
        return read_key(where.google_service_account_file)
    return credentials.Credentials(
        token=None,
        refresh_token="stand-in",  # noqa: S106
        client_id="stand-in",
        client_secret="stand-in",  # noqa: S106
        token_uri=f"{where.sheets_base_url}/token",
    )


def read_key(path: str) -> service_account.Credentials:
    """The service account whose key file this is.

    Raises:
        Permanent: the file is missing or is no key; the message says what to do.
    """
    try:
        return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
    except (OSError, *outside.UNREADABLE, GoogleAuthError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no key file of a service account"
        raise Permanent(
            f"GOOGLE_SERVICE_ACCOUNT_FILE={path}: {why}; download the account's key as JSON and set its path, or unset "
            "it to use the stand-in"
        ) from None
