"""A1 notation: `'My sheet'!B2:D10`, `Sheet1`, `Sheet1!A:C`, `Sheet1!2:5`. Indices begin at 0; ends are exclusive."""

import re
from dataclasses import dataclass

CORNER = re.compile(r"([A-Za-z]*)(\d*)")


class BadRange(ValueError):
    """The text is not a range of cells."""


@dataclass(frozen=True)
class Area:
    """A rectangle on the sheet of that name (None: the first sheet). An end of None means the edge of the sheet."""

    sheet: str | None
    top: int = 0
    left: int = 0
    bottom: int | None = None
    right: int | None = None


def column_number(letters: str) -> int:
    """Return the index of a column: `A` -> 0, `Z` -> 25, `AA` -> 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """Return the letters of a column: 0 -> `A`, 26 -> `AA`."""
    letters, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def parse(text: str, sheets: list[str]) -> Area:
    """Read a range. A word alone means the sheet of that name, if there is one.

    Raises:
        BadRange: the text names no known sheet and no cells.
    """
    if text.startswith("'"):
        title, quote, cells = _quoted(text)
        if not quote:
            raise BadRange(text)
    elif "!" in text:
        title, _, cells = text.rpartition("!")
    elif text in sheets:
        return Area(text)
    else:
        return _area(None, text)
    return _area(title, cells) if cells else Area(title)


def write(sheet: str, top: int, left: int, bottom: int, right: int) -> str:
    """Return the range as Google writes it in replies."""
    name = sheet if re.fullmatch(r"\w+", sheet) else "'" + sheet.replace("'", "''") + "'"
    first = f"{column_letters(left)}{top + 1}"
    last = f"{column_letters(max(right - 1, left))}{max(bottom, top + 1)}"
    return f"{name}!{first}" if first == last else f"{name}!{first}:{last}"


def _quoted(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"'((?:[^']|'')*)(')(?:!(.*))?", text)
    if match is None:
        raise BadRange(text)
    return match[1].replace("''", "'"), match[2], match[3] or ""


def _area(sheet: str | None, cells: str) -> Area:
    first, colon, last = cells.partition(":")
    start, end = CORNER.fullmatch(first), CORNER.fullmatch(last)
    if not first or start is None or end is None or (colon and not last):
        raise BadRange(cells)
    top = int(start[2]) - 1 if start[2] else 0
    left = column_number(start[1]) if start[1] else 0
    if not colon:
        if not (start[1] and start[2]):
            raise BadRange(cells)
        return Area(sheet, top, left, top + 1, left + 1)
    bottom = int(end[2]) if end[2] else None
    right = column_number(end[1]) + 1 if end[1] else None
    return Area(sheet, top, left, bottom, right)
