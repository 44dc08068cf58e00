"""Tables in the Google spreadsheet that the settings name: read one, replace one, append to one.

`replace` writes the whole table in one request. A reader sees the old table or the new one, and a second `replace` does
no harm. A second `append` does harm: after a lost reply the rows may already be there.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cars_bot.boundary import outside
from cars_bot.clients.per_process import per_process
from cars_bot.errors import Permanent
from cars_bot.settings import Settings

if TYPE_CHECKING:
    from gspread import Client, Spreadsheet, Worksheet


class Workbook:
    """The open spreadsheet and the worksheets used so far. To open them anew would cost two requests for each call."""

    def __init__(self, client: "Client", spreadsheet_id: str) -> None:
        self._client = client
        self._id = spreadsheet_id
        self.worksheets: dict[str, Worksheet] = {}

    @cached_property
    def spreadsheet(self) -> "Spreadsheet":
        """The spreadsheet. It is opened at the first use, so that a failure to open fails that call."""
        return self._client.open_by_key(self._id)

    def find(self, title: str) -> "Worksheet | None":
        """Return the worksheet of that name; None if there is none."""
        from gspread.exceptions import WorksheetNotFound

        if title not in self.worksheets:
            try:
                self.worksheets[title] = self.spreadsheet.worksheet(title)
            except WorksheetNotFound:
                return None
        return self.worksheets[title]

    def find_or_create(self, title: str, header: list[str]) -> "Worksheet":
        """Return the worksheet of that name. If it is missing, create it with its header, in one request."""
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
            if "already exists" not in error.response.text:  # another process created it first: that is as good
                raise
        self.worksheets[title] = self.spreadsheet.worksheet(title)
        return self.worksheets[title]


@dataclass(frozen=True)
class Record:
    """A row of a worksheet below its header. `row` is its number as a person sees it in the worksheet."""

    worksheet: str
    row: int
    cells: dict[str, str]

    def text(self, column: str, longest: int) -> str:
        """Return a cell's text without the blanks around it. Empty if the row ends before the column.

        Raises:
            Permanent: the text has more than `longest` characters.
        """
        return outside.fitting(outside.bare(self.cells.get(column, "")), longest, self.place(column))

    def place(self, column: str) -> str:
        """Return the place of a cell, for an error."""
        return f"worksheet {self.worksheet!r}, row {self.row}, column {column!r}"


def read(worksheet: str, columns: Sequence[str], more: Sequence[str] = ()) -> list[Record]:
    """Return the rows below the header, without blank rows. A missing or empty worksheet has none.

    The header is the first row that is not blank. Blanks around its names and upper or lower case do not matter.

    Args:
        columns: the columns that the worksheet must have.
        more: the columns that it may lack. The cells of a missing column are missing too; they do not count as empty.

    Raises:
        Throttled, Retryable: may be tried again.
        Permanent: a column is missing or is there twice. The message names it.
    """
    with _opened(worksheet, repeatable=True) as book:
        found = book.find(worksheet)
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
    """Replace everything in the worksheet by `header` and `rows`. A missing worksheet is created.

    Raises:
        Throttled, Retryable: may be tried again. Permanent: never will succeed.
    """
    table = [header, *rows]
    size = {"rowCount": len(table), "columnCount": max(len(row) for row in table) or 1}
    with _opened(worksheet, repeatable=True) as book:
        number = book.find_or_create(worksheet, header).id
        resize = {
            "properties": {"sheetId": number, "gridProperties": size},
            "fields": "gridProperties.rowCount,gridProperties.columnCount",
        }
        book.spreadsheet.batch_update({"requests": [{"updateSheetProperties": resize}, _write_cells(number, table)]})


def append(worksheet: str, header: list[str], rows: list[list[Any]]) -> None:
    """Add `rows` below the table. A missing worksheet is created with `header`.

    Raises:
        Throttled, Retryable: not added, may be tried again. Permanent: not added, never will be.
        OutcomeUnknown: perhaps added.
    """
    if not rows:
        return
    with _opened(worksheet, repeatable=True) as book:
        found = book.find_or_create(worksheet, header)
    with _opened(worksheet, repeatable=False):
        found.append_rows([[_plain(value) for value in row] for row in rows])


def _write_cells(sheet_id: int, table: list[list[Any]]) -> dict[str, Any]:
    """Return the request that makes `table` the only content of a sheet. Values are literal: '=1+1' stays text."""
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
def _opened(worksheet: str, repeatable: bool) -> Iterator[Workbook]:
    """Open the book for calls about one worksheet. Google's errors leave the block as ours; see `our_errors`."""
    from cars_bot.clients.google_errors import our_errors
    from cars_bot.clients.google_http import Refused

    with our_errors(repeatable):
        book = _workbook()
        try:
            yield book
        except Refused:
            book.worksheets.pop(worksheet, None)  # a person may have deleted or renamed it: look again next time
            raise


@per_process
def _workbook(where: Settings) -> Workbook:
    from cars_bot.clients import google_http

    return Workbook(google_http.build(where), where.spreadsheet_id)
