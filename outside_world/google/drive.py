"""Spreadsheets in memory, and the access tokens that open them. Both are bounded; the oldest go first."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from outside_world.google import a1
from outside_world.google.sheet import Refused, Sheet

MAX_SPREADSHEETS = 500
MAX_CELLS = 2_000_000
MAX_TOKENS = 1_000


@dataclass
class Spreadsheet:
    """A file of sheets, in order."""

    id: str
    sheets: list[Sheet] = field(default_factory=lambda: [Sheet(0, "Sheet1")])

    def find(self, text: str) -> tuple[Sheet, a1.Area]:
        """Return the sheet and the area that a range in A1 notation names."""
        try:
            area = a1.parse(text, [sheet.title for sheet in self.sheets])
        except a1.BadRange:
            raise Refused(f"Unable to parse range: {text}") from None
        for sheet in self.sheets:
            if area.sheet is None or sheet.title.lower() == area.sheet.lower():
                return sheet, area
        raise Refused(f"Unable to parse range: {text}")

    def by_id(self, sheet_id: int) -> Sheet:
        """Return the sheet with that number."""
        for sheet in self.sheets:
            if sheet.id == sheet_id:
                return sheet
        raise Refused(f"No grid with id: {sheet_id}")

    def add(self, title: str, sheet_id: int | None, row_count: int, column_count: int) -> Sheet:
        """Add a sheet at the end.

        Raises:
            Refused: there is already a sheet of that name or number.
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
        """Check that the file is not too large for the memory of the stand-in.

        Raises:
            Refused: it has more than `MAX_CELLS` cells.
        """
        if sum(len(row) for sheet in self.sheets for row in sheet.rows) > MAX_CELLS:
            raise Refused(
                f"This action would increase the number of cells in the workbook above the limit of {MAX_CELLS} cells."
            )


class Drive:
    """All spreadsheets, and the tokens that open them. The first use of a spreadsheet makes it."""

    def __init__(self) -> None:
        self._spreadsheets: OrderedDict[str, Spreadsheet] = OrderedDict()
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def open(self, spreadsheet_id: str) -> Spreadsheet:
        """Return the spreadsheet of that id. Beyond `MAX_SPREADSHEETS`, forget the one that was unused for longest."""
        spreadsheet = self._spreadsheets.setdefault(spreadsheet_id, Spreadsheet(spreadsheet_id))
        self._spreadsheets.move_to_end(spreadsheet_id)
        while len(self._spreadsheets) > MAX_SPREADSHEETS:
            self._spreadsheets.popitem(last=False)
        return spreadsheet

    def peek(self, spreadsheet_id: str) -> Spreadsheet | None:
        """Return the spreadsheet, or None if no client has used it."""
        return self._spreadsheets.get(spreadsheet_id)

    def names(self) -> list[str]:
        """Return the ids in use."""
        return list(self._spreadsheets)

    def forget_spreadsheets(self) -> None:
        """Forget all spreadsheets."""
        self._spreadsheets.clear()

    def issue_token(self) -> str:
        """Make and return a new access token."""
        token = "ya29." + secrets.token_urlsafe(24)
        self._tokens[token] = None
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def knows_token(self, token: str) -> bool:
        """Return whether this process issued the token, and has not forgotten it."""
        return token in self._tokens
