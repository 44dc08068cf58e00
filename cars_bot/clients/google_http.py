"""HTTP for gspread: the configured address, limits and no redirects. Imported at the first call only: it is heavy."""

from typing import Any

import gspread
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials, service_account
from gspread.http_client import HTTPClient

from cars_bot.boundary import outside
from cars_bot.clients import answers, call_limits
from cars_bot.errors import Permanent
from cars_bot.settings import Settings

SCOPES = ["https://www.googleapis.com/auth/spreadsheets"]
GOOGLE_HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
CHUNK_BYTES = 65_536


class Refused(Exception):
    """An answer that is no success. It holds the response, because gspread's own error cannot hold every body."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response


class Bounded(requests.Session):
    """A session whose answers stay within our limits, also the answers with a token."""

    def bound(self, base_url: str | None) -> "Bounded":
        """Set the headers and proxies of every request."""
        self.headers.update(call_limits.HEADERS)
        self.trust_env = call_limits.use_proxies(base_url)
        return self

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """Send a request; see `requests.Session.send`. It follows no redirect, which would turn a POST into a GET."""
        timeout = (call_limits.CONNECT_SECONDS, call_limits.DEADLINE_SECONDS)
        how |= {"stream": True, "allow_redirects": False, "timeout": timeout}
        response = super().send(request, **how)
        read_within_limits(response)
        return response


class AuthorizedBounded(Bounded, AuthorizedSession):
    """A bounded session with Google's token in each request."""

    def __init__(self, where: Settings) -> None:
        tokens = Request(Bounded().bound(where.sheets_base_url))
        AuthorizedSession.__init__(self, _credentials(where), auth_request=tokens)
        self.bound(where.sheets_base_url)


class Client(HTTPClient):
    """gspread's HTTP client with our base URL instead of Google's two hosts. gspread has no option for that."""

    base_url: str | None = None

    def request(self, method, endpoint, params=None, data=None, json=None, files=None, headers=None):  # type: ignore[no-untyped-def]
        response = self.session.request(
            method, rebase(endpoint, self.base_url), params=params, data=data, json=json, files=files, headers=headers
        )
        if not answers.is_done(response.status_code):
            raise Refused(response)
        return response


def build(where: Settings) -> gspread.Client:
    """Return a gspread client without retries. It is no BackOffHTTPClient, because the queue waits, not a worker.

    Raises:
        Permanent: the service account's key file cannot be used.
    """
    client = gspread.Client(auth=None, session=AuthorizedBounded(where), http_client=Client)
    client.http_client.base_url = where.sheets_base_url
    return client


def rebase(url: str, base: str | None) -> str:
    """Return the same path at `base`. The URL is unchanged if `base` is None."""
    for host in GOOGLE_HOSTS:
        if base is not None and url.startswith(host):
            return base.rstrip("/") + url.removeprefix(host)
    return url


def read_within_limits(response: requests.Response) -> None:
    """Read the body piece by piece. The timeout of `requests` counts for each piece, not for the whole body.

    Raises:
        call_limits.LimitExceeded: the answer is too long, in seconds or in bytes.
    """
    allowance = call_limits.Allowance(response.headers.pop("content-encoding", None))
    pieces = []
    try:
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=False):
            pieces.append(allowance.spend(piece))
    except call_limits.LimitExceeded:
        response.close()
        raise
    response._content = b"".join(pieces)  # `requests` keeps a body here after it has read one


def _credentials(where: Settings) -> Credentials:
    """Return the service account of the key file, or a made-up user whose token the stand-in refreshes.

    Raises:
        Permanent: the file is missing or is not a key. The message says what to do.
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
    """Return the service account of a key file.

    Raises:
        Permanent: the file is missing or is not a key. The message says what to do.
    """
    try:
        return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
    except (OSError, *outside.UNREADABLE, GoogleAuthError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not the key file of a service account"
        raise Permanent(
            f"GOOGLE_SERVICE_ACCOUNT_FILE={path}: {why}; download the account's key as JSON and set its path, or unset "
            "it to use the stand-in"
        ) from None
