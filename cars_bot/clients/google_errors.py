"""Errors of Google and of its libraries, as ours. Imported at the first call only: the libraries are heavy."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions
from google.auth.exceptions import GoogleAuthError, RefreshError
from gspread.exceptions import GSpreadException

from cars_bot.boundary import outside
from cars_bot.clients import answers, call_limits
from cars_bot.clients.google_http import Refused
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import settings

THROTTLED_SECONDS = 30.0  # Google's quotas are per minute and come without Retry-After
NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, call_limits.LimitExceeded, OSError)
UNREADABLE = (*outside.UNREADABLE, GSpreadException)
NEVER_CONNECTED = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)

# Refusals that stay until a person does something, by status; {!r} is the spreadsheet's id.
REMEDIES = {
    403: 'Share the spreadsheet {!r} as an editor with the address "client_email" of the file that '
    "GOOGLE_SERVICE_ACCOUNT_FILE names",
    404: "There is no spreadsheet {!r}: set SPREADSHEET_ID to the part of its address between /d/ and /edit",
}
# Refusals that may pass: by status, or by Google's words for a worksheet that was deleted or renamed.
PASSING = (401, 409)
VANISHED = ("Unable to parse range", "No grid with id")


@contextmanager
def our_errors(repeatable: bool) -> Iterator[None]:
    """Turn the errors of the block into ours.

    Args:
        repeatable: true if a second call does no harm. Then a lost reply is Retryable, else OutcomeUnknown.
    """
    lost = Retryable if repeatable else OutcomeUnknown
    try:
        yield
    except Refused as error:
        raise refusal(error.response, lost) from None
    except RefreshError as error:
        raise (Retryable if error.retryable else Permanent)(f"Google: no token: {error!s:.200}") from None
    except GoogleAuthError as error:  # the request itself was not sent
        raise Retryable(f"Google: no token: {error!s:.200}") from None
    except NO_ANSWER as error:
        raise (Retryable if never_connected(error) else lost)(f"Google: {error!r:.200}") from None
    except UNREADABLE as error:
        raise lost(f"Google's answer is unreadable: {error!r:.200}") from None


def refusal(response: requests.Response, lost: type[CarsBotError]) -> CarsBotError:
    """Return an answer that is no success as our error. `lost` is the error for a request with an unknown outcome.

    The status comes from the response: gspread's own code is -1 for an HTML page.
    """
    status = response.status_code
    if status == 429:
        return Throttled("Google: quota", outside.told_to_wait(response.headers, THROTTLED_SECONDS))
    try:
        text = f"Google answered {status}: {response.json()['error']['message']!s:.200}"
    except outside.UNREADABLE:
        text = f"Google answered {status} and no reason"
    if not answers.is_refused(status):
        return lost(text)
    if status in REMEDIES:
        return Permanent(f"{text}. {REMEDIES[status].format(settings().spreadsheet_id)}")
    passing = status in PASSING or any(words in text for words in VANISHED)
    return Retryable(text) if passing else Permanent(text)


def never_connected(error: Exception) -> bool:
    """Return whether the request did not even leave us."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NEVER_CONNECTED)
