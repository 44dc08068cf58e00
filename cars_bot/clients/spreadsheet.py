"""Tables in the Google spreadsheet of the settings: read one, replace one, append to one.

`replace` writes the whole table in one request, so a reader sees the old one or the new one, and doing it twice is
harmless. `append` is not: when its reply is lost the rows may be there.
"""

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cars_bot import outside
from cars_bot.clients import answers, limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable
from cars_bot.settings import Settings, settings

if TYPE_CHECKING:
    from gspread import Client, Spreadsheet, Worksheet

# Its quotas are per minute and come without Retry-After. 401: the token has just expired.
GOOGLE = answers.Service("Google", throttled_seconds=30.0, passing=(401, 409))


@dataclass(frozen=True)
class Row:
    """A row of a table, as people see it.

    Attributes:
        number: its number in the worksheet; the first is 1.
        cells: by the name of the column, cleaned. A column that the worksheet does not have is not in it: that is
            something else than an empty cell.
    """

    number: int
    cells: dict[str, str]


class Book:
    """The open spreadsheet and its worksheets met so far; opening each anew would cost two requests a call."""

    def __init__(self, client: "Client", spreadsheet_id: str) -> None:
        self._client = client
        self._id = spreadsheet_id
        self.worksheets: dict[str, Worksheet] = {}

    @property
    def account(self) -> Any:
        """Whose credentials are used."""
        return self._client.http_client.session.credentials

    @cached_property
    def spreadsheet(self) -> "Spreadsheet":
        """Opened at the first use, so that a failure to open is the call's failure."""
        from gspread import Spreadsheet

        return Spreadsheet(self._client.http_client, {"id": self._id})  # which asks Google for it

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
        from cars_bot.clients.google_http import Refused

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
        except Refused as error:
            if "already exists" not in error.response.text:  # somebody else was quicker: just as good
                raise
        self.worksheets[title] = self.spreadsheet.worksheet(title)
        return self.worksheets[title]


def read(worksheet: str, needed: Collection[str], wanted: Collection[str] = ()) -> list[Row]:
    """Return every row below the header that is not blank; none if there is no such worksheet, or nothing in it.

    The header is the first row that is not blank. Its names count without their case and the spaces around them.

    Args:
        needed: columns that there must be.
        wanted: columns that are read if they are there.

    Raises:
        Throttled, Retryable.
        Permanent: a needed column is missing, or one stands there twice.
    """
    with _our_errors(worksheet, repeatable=True):
        found = _book().find(worksheet)
        table: list[list[str]] = outside.clean(found.get_all_values()) if found else []
    filled = [(number, row) for number, row in enumerate(table, 1) if any(map(outside.bare, row))]
    if not filled:
        return []
    (header_row, header), *records = filled
    places = _places(worksheet, header_row, header, needed, wanted)
    return [
        Row(number, {name: row[place] if place < len(row) else "" for name, place in places.items()})
        for number, row in records
    ]


def _places(
    worksheet: str, number: int, header: list[str], needed: Collection[str], wanted: Collection[str]
) -> dict[str, int]:
    """Where in the header each column stands."""
    names = [outside.bare(name).casefold() for name in header]
    for name in (*needed, *wanted):
        if names.count(name) > 1:
            raise Permanent(
                f'worksheet "{worksheet}", row {number}: {names.count(name)} columns are called "{name}"; delete or '
                "rename all but one"
            )
        if name in needed and name not in names:
            there = ", ".join(filter(None, names))
            raise Permanent(
                f'worksheet "{worksheet}", row {number}: no column is called "{name}"; there are: '
                f"{outside.shortened(there, 200)}. Add the column, or correct its name"
            )
    return {name: names.index(name) for name in (*needed, *wanted) if name in names}


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
    return value if isinstance(value, int | float | bool) else str(outside.clean(str(value)))


@contextmanager
def _our_errors(worksheet: str, repeatable: bool) -> Iterator[None]:
    """Turn the libraries' errors into ours. `repeatable`: doing it once more does no harm, so no reply is no matter."""
    import google.auth.exceptions
    import gspread.exceptions
    import requests
    import urllib3.exceptions

    from cars_bot.clients.google_http import Refused

    lost = Retryable if repeatable else OutcomeUnknown
    try:
        yield
    except Refused as error:
        _book().worksheets.pop(worksheet, None)  # somebody may have deleted or renamed it: look again next time
        raise _translate(error.response, lost) from None
    except google.auth.exceptions.RefreshError as error:
        raise (Retryable if error.retryable else Permanent)(f"Google: no token: {_said(error)}") from None
    except google.auth.exceptions.GoogleAuthError as error:  # the request itself was not sent
        raise Retryable(f"Google: no token: {_said(error)}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, limits.LimitExceeded, OSError) as error:
        raise (Retryable if _never_connected(error) else lost)(f"Google: {_said(error)}") from None
    except (gspread.exceptions.GSpreadException, *outside.UNREADABLE) as error:
        raise answers.unreadable(GOOGLE, error, lost) from None


def _said(error: Exception) -> str:
    return str(outside.clean(outside.shortened(str(error) or repr(error), 300)))


def _translate(response: Any, lost: type[Retryable | OutcomeUnknown]) -> CarsBotError:
    """A refusal as our error, with what to do where a person has to do something."""
    status = response.status_code
    try:
        refusal = outside.parse(response.content)["error"]
        said, kind = str(refusal["message"]), str(refusal.get("status"))
    except outside.UNREADABLE:
        said, kind = "", ""
    if status == 403 and (kind == "RESOURCE_EXHAUSTED" or "ate limit" in said):
        status = answers.TOO_MANY  # an older way of Google's to say so
    error = answers.meaning(GOOGLE, status, response.headers, said, lost=lost)
    if not isinstance(error, Permanent):
        return error
    if "Unable to parse range" in said or "No grid with id" in said:  # the worksheet that we knew has gone
        return Retryable(str(error))
    return Permanent(f"{error}{_what_to_do(status)}")


def _what_to_do(status: int) -> str:
    where = settings()
    if status == 404:
        return (
            f"; there is no spreadsheet {where.spreadsheet_id!r}: set SPREADSHEET_ID to what stands in its address "
            "between /d/ and /edit"
        )
    if status == 403:
        email = getattr(_book().account, "service_account_email", None)
        return (
            f"; share the spreadsheet {where.spreadsheet_id!r} with {email or 'the service account'} as an editor, and "
            "enable the Google Sheets API in the account's project"
        )
    return ""


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
