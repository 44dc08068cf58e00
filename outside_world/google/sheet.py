"""One sheet in memory: rows of cells, the size of its grid, and the few operations that the API offers on them.

A change makes a new row and puts it in the old one's place. So a shallow copy is enough to roll a batch back.
"""

from dataclasses import dataclass, field
from typing import Any

from outside_world.google import a1

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]


class Refused(Exception):
    """The request is impossible. The message is Google's own."""


@dataclass
class Sheet:
    """One tab: its cells, as rows without blanks at the end, and the size of its grid."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    rows: list[Row] = field(default_factory=list)

    def copy(self) -> "Sheet":
        """Return an independent copy. It shares the rows, which are immutable."""
        return Sheet(self.id, self.title, self.row_count, self.column_count, list(self.rows))

    def get(self, area: a1.Area) -> list[Row]:
        """Return the cells of an area, without empty rows and cells at the end."""
        rows = [_trim(row[area.left : area.right]) for row in self.rows[area.top : area.bottom]]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def put(self, top: int, left: int, values: list[list[Cell]]) -> None:
        """Write values; the first goes to (`top`, `left`). None leaves a cell as it is.

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
        """Add rows below the last row that is not empty; return the index of the first new row. The grid may grow."""
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
        """Change the size of the grid. Cells outside of the new grid are lost."""
        self.row_count = row_count or self.row_count
        self.column_count = column_count or self.column_count
        self.rows = [_trim(row[: self.column_count]) for row in self.rows[: self.row_count]]
        self._trim_rows()

    def _trim_rows(self) -> None:
        while self.rows and not self.rows[-1]:
            self.rows.pop()


def as_text(value: Any) -> str:
    """Return a cell as Google formats it for people."""
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
