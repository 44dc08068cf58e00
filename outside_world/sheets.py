"""Spreadsheets in memory: sheets of cells with a grid size, and the few operations the API offers on them.

Rows are replaced, never changed in place, so that a batch can be rolled back from a shallow copy.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from outside_world import a1

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]

MAX_SPREADSHEETS = 500
MAX_CELLS = 2_000_000
MAX_TOKENS = 1_000


class Refused(Exception):
    """The request cannot be done; the message is Google's."""


@dataclass
class Sheet:
    """One tab: its cells as rows without trailing blanks, and the size of its grid."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    rows: list[Row] = field(default_factory=list)

    def copy(self) -> "Sheet":
        """An independent copy that shares the immutable rows."""
        return Sheet(self.id, self.title, self.row_count, self.column_count, list(self.rows))

    def get(self, area: a1.Area) -> list[Row]:
        """The cells of an area, without trailing empty rows and cells."""
        rows = [_trim(row[area.left : area.right]) for row in self.rows[area.top : area.bottom]]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def put(self, top: int, left: int, values: list[list[Cell]]) -> None:
        """Write values from a corner on; None leaves a cell as it is.

        Raises:
            Refused: the values do not fit in the grid.
        """
        bottom = top + len(values)
        right = left + max((len(row) for row in values), default=0)
        if bottom > self.row_count or right > self.column_count:
            raise Refused(
                f"Range ({a1.write(self.title, top, left, bottom, right)}) exceeds grid limits. "
                f"Max rows: {self.row_count}, max columns: {self.column_count}"
            )
        self.rows.extend(() for _ in range(bottom - len(self.rows)))
        for number, values_row in enumerate(values, start=top):
            row = list(self.rows[number])
            row.extend("" for _ in range(left + len(values_row) - len(row)))
            for column, value in enumerate(values_row, start=left):
                if value is not None:
                    row[column] = value
            self.rows[number] = _trim(tuple(row))
        self._trim_rows()

    def append(self, values: list[list[Cell]]) -> int:
        """Add rows below the last one that is not empty; the grid grows as needed. Returns the first new row."""
        top = len(self.rows)
        self.row_count = max(self.row_count, top + len(values))
        self.column_count = max(self.column_count, *(len(row) for row in values), 1)
        self.put(top, 0, values)
        return top

    def clear(self, area: a1.Area) -> None:
        """Blank the cells of an area."""
        for number in range(area.top, min(len(self.rows), area.bottom or len(self.rows))):
            row = self.rows[number]
            blanks = ("",) * len(row[area.left : area.right])
            self.rows[number] = _trim(row[: area.left] + blanks + row[area.left + len(blanks) :])
        self._trim_rows()

    def resize(self, row_count: int | None, column_count: int | None) -> None:
        """Change the grid; what no longer fits is gone."""
        self.row_count = row_count or self.row_count
        self.column_count = column_count or self.column_count
        self.rows = [_trim(row[: self.column_count]) for row in self.rows[: self.row_count]]
        self._trim_rows()

    def _trim_rows(self) -> None:
        while self.rows and not self.rows[-1]:
            self.rows.pop()


@dataclass
class Spreadsheet:
    """A file of sheets, in order."""

    id: str
    sheets: list[Sheet] = field(default_factory=lambda: [Sheet(0, "Sheet1")])

    def find(self, text: str) -> tuple[Sheet, a1.Area]:
        """The sheet and the cells that a range in A1 notation names."""
        try:
            area = a1.parse(text, [sheet.title for sheet in self.sheets])
        except a1.BadRange:
            raise Refused(f"Unable to parse range: {text}") from None
        for sheet in self.sheets:
            if area.sheet is None or sheet.title.lower() == area.sheet.lower():
                return sheet, area
        raise Refused(f"Unable to parse range: {text}")

    def by_id(self, sheet_id: int) -> Sheet:
        """The sheet with that number."""
        for sheet in self.sheets:
            if sheet.id == sheet_id:
                return sheet
        raise Refused(f"No grid with id: {sheet_id}")

    def add(self, title: str, sheet_id: int | None, row_count: int, column_count: int) -> Sheet:
        """Add a sheet at the end.

        Raises:
            Refused: there is one of that name or number.
        """
        if any(sheet.title.lower() == title.lower() for sheet in self.sheets):
            raise Refused(
                f'Invalid requests[0].addSheet: A sheet with the name "{title}" already exists. '
                "Please enter another name."
            )
        if any(sheet.id == sheet_id for sheet in self.sheets):
            raise Refused(f"Invalid requests[0].addSheet: Sheet with id {sheet_id} already exists.")
        number = secrets.randbelow(2**31 - 1) + 1 if sheet_id is None else sheet_id
        sheet = Sheet(number, title, row_count, column_count)
        self.sheets.append(sheet)
        return sheet

    def check_size(self) -> None:
        """Raises Refused when the file has outgrown what the stand-in is ready to remember."""
        if sum(len(row) for sheet in self.sheets for row in sheet.rows) > MAX_CELLS:
            raise Refused(
                f"This action would increase the number of cells in the workbook above the limit of {MAX_CELLS} cells."
            )


class Drive:
    """All spreadsheets, each made at its first use, and the tokens that may open them."""

    def __init__(self) -> None:
        self._spreadsheets: OrderedDict[str, Spreadsheet] = OrderedDict()
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def open(self, spreadsheet_id: str) -> Spreadsheet:
        """The spreadsheet of that id; the one unused for longest is forgotten when there are too many."""
        spreadsheet = self._spreadsheets.setdefault(spreadsheet_id, Spreadsheet(spreadsheet_id))
        self._spreadsheets.move_to_end(spreadsheet_id)
        while len(self._spreadsheets) > MAX_SPREADSHEETS:
            self._spreadsheets.popitem(last=False)
        return spreadsheet

    def peek(self, spreadsheet_id: str) -> Spreadsheet | None:
        """The spreadsheet if somebody has used it."""
        return self._spreadsheets.get(spreadsheet_id)

    def names(self) -> list[str]:
        """The ids in use."""
        return list(self._spreadsheets)

    def forget_spreadsheets(self) -> None:
        """Start over with none."""
        self._spreadsheets.clear()

    def issue_token(self) -> str:
        """A new access token."""
        token = "ya29." + secrets.token_urlsafe(24)
        self._tokens[token] = None
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def knows_token(self, token: str) -> bool:
        """Whether this process issued the token."""
        return token in self._tokens


def as_text(value: Any) -> str:
    """A cell as Google formats it for reading."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _trim(row: Row) -> Row:
    end = len(row)
    while end and row[end - 1] in ("", None):
        end -= 1
    return row[:end]
