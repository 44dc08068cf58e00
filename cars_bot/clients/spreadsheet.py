"""Tables in the Google spreadsheet of the settings: read one, replace one, append to one.

`replace` writes the whole table in one request, so a reader sees the old one or the new one, and doing it twice is
harmless. `append` is not: when its reply is lost the rows may be there.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cars_bot.clients import limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import Settings

if TYPE_CHECKING:
    from gspread import Client, Spreadsheet, Worksheet

THROTTLED_SECONDS = 30.0  # Google's quotas are per minute and come without Retry-After


class Book:
    """The open spreadsheet and its worksheets met so far; opening each anew would cost two requests a call."""

    def __init__(self, client: "Client", spreadsheet_id: str) -> None:
        self._client = client
        self._id = spreadsheet_id
        self.worksheets: dict[str, Worksheet] = {}

    @cached_property
    def spreadsheet(self) -> "Spreadsheet":
        """Opened at the first use, so that a failure to open is the call's failure."""
        return self._client.open_by_key(self._id)

    def find(self, title: str) -> "Worksheet | None":
        """The worksheet of that name, if there is one."""
        from gspread.exceptions import WorksheetNotFound

        if title not in self.worksheets:
            try:
                self.worksheets[title] = self.spreadsheet.worksheet(title)
            except WorksheetNotFound:
                return None
        return self.worksheets[title]

    def find_or_create(self, title: str, header: list[str]) -> "Worksheet":
        """The worksheet of that name; a new one starts with its header, both in one request."""
        from gspread.exceptions import APIError

        found = self.find(title)
        if found is not None:
            return found
        number = secrets.randbelow(2**31 - 1) + 1
        size = {"rowCount": 100, "columnCount": max(len(header), 1)}
        properties = {"sheetId": number, "title": title, "gridProperties": size}
        try:
            self.spreadsheet.batch_update(
                {"requests": [{"addSheet": {"properties": properties}}, _write_cells(number, [header])]}
            )
        except APIError as error:
            if "already exists" not in str(error):  # somebody else was quicker: just as good
                raise
        self.worksheets[title] = self.spreadsheet.worksheet(title)
        return self.worksheets[title]


def read(worksheet: str) -> list[dict[str, str]]:
    """Every row below the header as a dictionary by the header's names; empty if there is no such worksheet.

    Raises:
        Throttled, Retryable, Permanent.
    """
    with _our_errors(worksheet, repeatable=True):
        found = _book().find(worksheet)
        rows: list[list[str]] = found.get_all_values() if found else []
    header, *records = rows or [[]]
    return [
        {name: value for name, value in zip(header, record, strict=False) if name} for record in records if any(record)
    ]


def replace(worksheet: str, header: list[str], rows: list[list[Any]]) -> None:
    """Make the worksheet consist of `header` and `rows`, nothing else; it is created if missing.

    Raises:
        Throttled, Retryable, Permanent.
    """
    table = [header, *rows]
    size = {"rowCount": len(table), "columnCount": max(len(row) for row in table) or 1}
    with _our_errors(worksheet, repeatable=True):
        book = _book()
        number = book.find_or_create(worksheet, header).id
        resize = {
            "properties": {"sheetId": number, "gridProperties": size},
            "fields": "gridProperties.rowCount,gridProperties.columnCount",
        }
        book.spreadsheet.batch_update({"requests": [{"updateSheetProperties": resize}, _write_cells(number, table)]})


def append(worksheet: str, header: list[str], rows: list[list[Any]]) -> None:
    """Add `rows` below the table; the worksheet is created with `header` if missing.

    Raises:
        Throttled, Retryable: not added. Permanent: not added, never will be. OutcomeUnknown: perhaps added.
    """
    if not rows:
        return
    with _our_errors(worksheet, repeatable=True):
        found = _book().find_or_create(worksheet, header)
    with _our_errors(worksheet, repeatable=False):
        found.append_rows([[_plain(value) for value in row] for row in rows])


def _write_cells(sheet_id: int, table: list[list[Any]]) -> dict[str, Any]:
    """The request that makes `table` the only content of a sheet. Values are literal: '=1+1' stays text."""
    rows = [{"values": [{"userEnteredValue": _typed(value)} for value in row]} for row in table]
    return {"updateCells": {"range": {"sheetId": sheet_id}, "rows": rows, "fields": "userEnteredValue"}}


def _typed(value: Any) -> dict[str, Any]:
    plain = _plain(value)
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int | float):
        return {"numberValue": plain}
    return {"stringValue": plain}


def _plain(value: Any) -> str | int | float | bool:
    if value is None:
        return ""
    return value if isinstance(value, str | int | float | bool) else str(value)


@contextmanager
def _our_errors(worksheet: str, repeatable: bool) -> Iterator[None]:
    """Turn the libraries' errors into ours. `repeatable`: doing it once more does no harm, so no reply is no matter."""
    import google.auth.exceptions
    import gspread.exceptions
    import requests
    import urllib3.exceptions

    lost = Retryable if repeatable else OutcomeUnknown
    try:
        yield
    except gspread.exceptions.APIError as error:
        _book().worksheets.pop(worksheet, None)  # somebody may have deleted or renamed it: look again next time
        raise _translate(error.response, lost) from None
    except google.auth.exceptions.RefreshError as error:
        raise (Retryable if error.retryable else Permanent)(f"Google: no token: {error!s:.200}") from None
    except google.auth.exceptions.TransportError as error:
        raise Retryable(f"Google: no token: {error!s:.200}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, limits.LimitExceeded, OSError) as error:
        raise (Retryable if _never_connected(error) else lost)(f"Google: {error!r:.200}") from None
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise lost(f"Google's answer is unreadable: {error!r:.200}") from None


def _translate(response: Any, lost: type[CarsBotError]) -> CarsBotError:
    """A refusal as our error. (Its code is taken from the response: gspread's own is -1 for an HTML page.)"""
    status = response.status_code
    try:
        text = f"Google answered {status}: {response.json()['error']['message']:.200}"
    except (ValueError, TypeError, LookupError):
        return lost(f"Google answered {status} and no reason") if status >= 500 else Permanent(f"Google: {status}")
    if status == 429:
        wait = limits.seconds_to_wait(response.headers.get("Retry-After"), THROTTLED_SECONDS)
        return Throttled("Google: quota", wait)
    vanished = "Unable to parse range" in text or "No grid with id" in text
    return Retryable(text) if vanished or status >= 500 or status in (401, 408, 409) else Permanent(text)


def _never_connected(error: Exception) -> bool:
    """Whether the request did not even leave us."""
    import requests
    import urllib3.exceptions

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    )


@per_process
def _book(where: Settings) -> Book:
    from cars_bot.clients import google_http

    return Book(google_http.build(where), where.spreadsheet_id)
