"""The gspread library, pointed at the configured address and bounded. Imported at the first call only: it is heavy."""

import gspread
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import credentials, service_account
from gspread.http_client import HTTPClient

from cars_bot.clients import limits
from cars_bot.errors import Permanent
from cars_bot.settings import Settings

SCOPES = ["https://www.googleapis.com/auth/spreadsheets"]
GOOGLE_HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
CHUNK_BYTES = 65_536


def build(where: Settings) -> gspread.Client:
    """A gspread client without retries (no BackOffHTTPClient: waiting is the queue's business, not a worker's)."""

    class BoundedClient(HTTPClient):  # type: ignore[misc]
        """Rebases Google's two hosts, which gspread offers no option for, and limits every answer."""

        def request(self, method, endpoint, params=None, data=None, json=None, files=None, headers=None):  # type: ignore[no-untyped-def]
            response = self.session.request(
                method,
                rebase(endpoint, where.sheets_base_url),
                params=params,
                data=data,
                json=json,
                files=files,
                headers=headers,
                timeout=(limits.CONNECT_SECONDS, limits.DEADLINE_SECONDS),
                stream=True,
            )
            read_within_limits(response)
            if not response.ok:
                raise gspread.exceptions.APIError(response)
            return response

    session = AuthorizedSession(_credentials(where))
    session.trust_env = limits.use_proxies(where.sheets_base_url)
    return gspread.Client(auth=None, session=session, http_client=BoundedClient)


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
    allowance = limits.Allowance()
    pieces = []
    try:
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
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
    if path := where.google_service_account_file:
        try:
            return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
        except (OSError, ValueError, TypeError, AttributeError, LookupError, GoogleAuthError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no key file of a service account"
            raise Permanent(
                f"GOOGLE_SERVICE_ACCOUNT_FILE={path}: {why}; download the account's key as JSON and set its path"
            ) from None
    return credentials.Credentials(
        token=None,
        refresh_token="stand-in",  # noqa: S106
        client_id="stand-in",
        client_secret="stand-in",  # noqa: S106
        token_uri=f"{where.sheets_base_url}/token",
    )
