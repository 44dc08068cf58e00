"""Tables in the Google spreadsheet of the settings: read one, replace one, append to one.

`replace` writes the whole table in one request, so a reader sees the old one or the new one, and doing it twice is
harmless. `append` is not: when its reply is lost the rows may be there.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cars_bot.boundary import outside
from cars_bot.clients import answers, limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import Settings, settings

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


@dataclass(frozen=True)
class Record:
    """A row of a worksheet below its header; `row` is its number as people see it."""

    worksheet: str
    row: int
    cells: dict[str, str]

    def text(self, column: str, longest: int) -> str:
        """A cell's text without the blanks around it; empty if the row ends before the column.

        Raises:
            Permanent: it has more than `longest` characters.
        """
        return outside.fitting(outside.bare(self.cells.get(column, "")), longest, self.place(column))

    def place(self, column: str) -> str:
        """Where a cell is, for an error."""
        return f"worksheet {self.worksheet!r}, row {self.row}, column {column!r}"


def read(worksheet: str, columns: Sequence[str], more: Sequence[str] = ()) -> list[Record]:
    """Every row below the header, without blank ones; none if there is no such worksheet, or nothing in it.

    The header is the first row that is not blank. Its names count without blanks around them, in any case.

    Args:
        columns: those that the worksheet must have.
        more: those that it may lack; then they are not among the cells. A missing column is no empty cell.

    Raises:
        Throttled, Retryable.
        Permanent: a column is missing, or is there twice; the message names it.
    """
    with _our_errors(worksheet, repeatable=True):
        found = _book().find(worksheet)
        table: list[list[str]] = found.get_all_values() if found else []
    filled = [(number, row) for number, row in enumerate(table, start=1) if any(map(outside.bare, row))]
    if not filled:
        return []
    (_, header), *records = filled
    names = [outside.bare(name).lower() for name in header]
    for column in (*columns, *more):
        times = names.count(column)
        if times > 1 or (times == 0 and column in columns):
            there = ", ".join(name for name in names if name)
            wrong = "has no column" if times == 0 else f"has {times} columns called"
            raise Permanent(f"worksheet {worksheet!r} {wrong} {column!r}; its header is: {there:.300}")
    places = {column: names.index(column) for column in (*columns, *more) if column in names}
    return [
        Record(worksheet, number, {name: row[at] if at < len(row) else "" for name, at in places.items()})
        for number, row in records
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
    return value if isinstance(value, int | float | bool) else outside.clean(str(value))


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
        raise (Retryable if error.retryable else Permanent)(f"Google: no token: {error!s:.200}") from None
    except google.auth.exceptions.GoogleAuthError as error:  # the request itself was not sent
        raise Retryable(f"Google: no token: {error!s:.200}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, limits.LimitExceeded, OSError) as error:
        raise (Retryable if _never_connected(error) else lost)(f"Google: {error!r:.200}") from None
    except (*outside.UNREADABLE, gspread.exceptions.GSpreadException) as error:
        raise lost(f"Google's answer is unreadable: {error!r:.200}") from None


def _translate(response: Any, lost: type[CarsBotError]) -> CarsBotError:
    """A refusal as our error. (Its code is taken from the response: gspread's own is -1 for an HTML page.)"""
    status = response.status_code
    if status == 429:
        return Throttled("Google: quota", outside.told_to_wait(response.headers, THROTTLED_SECONDS))
    try:
        text = f"Google answered {status}: {response.json()['error']['message']!s:.200}"
    except outside.UNREADABLE:
        text = f"Google answered {status} and no reason"
    if not answers.is_refused(status):
        return lost(text)
    if status == 403:
        return _not_shared(text)
    if status == 404:
        return Permanent(
            f"{text}. There is no spreadsheet {settings().spreadsheet_id!r}: set SPREADSHEET_ID to the part of its "
            "address between /d/ and /edit"
        )
    vanished = "Unable to parse range" in text or "No grid with id" in text
    return Retryable(text) if vanished or status in (401, 409) else Permanent(text)


def _not_shared(said: str) -> Permanent:
    """The service account may not do this with the spreadsheet."""
    return Permanent(
        f'{said}. Share the spreadsheet {settings().spreadsheet_id!r} as an editor with the address "client_email" of '
        "the file that GOOGLE_SERVICE_ACCOUNT_FILE names"
    )


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
