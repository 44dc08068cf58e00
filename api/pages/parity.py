"""Parity: the code of each feature in Celery and by hand, found by marks in the source.

`features.py` has the names of the features. Two comments mark a piece of code of a feature, so a text search finds it:

    # feature: message TTL
    …
    # end

The file decides the lane of a piece. `celery_app.py`, `celery_tasks.py` and `celery_parts/` belong to Celery, and
`raw_consumer/` to the raw lane. Any other file serves both, unless its mark names a lane:
`# feature: message TTL, celery`. Comments and blank lines are not counted. A feature that a library brings has 0 lines.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.pages.features import BY_NAME, FEATURES

ROOT = Path(__file__).resolve().parents[2]
LANES = ("celery", "raw", "both")
CELERY = ("celery_app.py", "celery_tasks.py", "celery_parts")
SOURCES = (*CELERY, "raw_consumer", "cars_bot", "api")
_OPENS = re.compile(r"\s*# feature: (?P<name>[^:]+?)(?:, (?P<lane>celery|raw))?$")
_ENDS = re.compile(r"\s*# end$")


@dataclass(frozen=True)
class Piece:
    """A marked piece of code. `first` and `last` are the line numbers of its marks, from 1."""

    feature: str
    lane: str
    file: str
    first: int
    last: int
    code: str

    @property
    def lines(self) -> int:
        """The number of its lines of code."""
        return lines_of_code(self.code)


def lines_of_code(source: str) -> int:
    """Return the number of lines without blank lines and comments. Docstrings count."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in source.splitlines())


def rows() -> list[dict[str, Any]]:
    """Return each feature with its pieces and their lines per lane, for the page."""
    found = pieces()
    table = []
    for feature in FEATURES:
        mine = {lane: [p for p in found if (p.feature, p.lane) == (feature.name, lane)] for lane in LANES}
        lines = {lane: sum(piece.lines for piece in part) for lane, part in mine.items()}
        slug = re.sub(r"\W+", "-", feature.name)
        table.append({"feature": feature, "slug": slug, "pieces": mine, "lines": lines})
    return table


def totals() -> dict[str, int]:
    """Return the lines of marked code per lane."""
    found = pieces()
    return {lane: sum(piece.lines for piece in found if piece.lane == lane) for lane in LANES}


def pieces(root: Path = ROOT) -> list[Piece]:
    """Return all marked code, in the order of `SOURCES`.

    Raises:
        ValueError: a mark has no end, an end has no mark, or a mark names no feature.
    """
    files = [
        path
        for name in SOURCES
        for path in (sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name])
        if path != Path(__file__)
    ]
    return [piece for path in files for piece in _in_file(path, path.relative_to(root).as_posix())]


def _in_file(path: Path, name: str) -> Iterator[Piece]:
    opened: tuple[int, str, str] | None = None
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if mark := _OPENS.match(line):
            if opened or mark["name"] not in BY_NAME:
                raise ValueError(f"{name}:{number}: {line.strip()!r} is inside another, or not in features.py")
            opened = number, mark["name"], mark["lane"] or _lane(name)
        elif _ENDS.match(line):
            if not opened:
                raise ValueError(f"{name}:{number}: this end has no mark before it")
            first, feature, lane = opened
            opened = None
            yield Piece(feature, lane, name, first, number, textwrap.dedent("\n".join(lines[first : number - 1])))
    if opened:
        raise ValueError(f"{name}:{opened[0]}: the mark of {opened[1]!r} has no end; add `# end`")


def _lane(name: str) -> str:
    top = name.partition("/")[0]
    return "celery" if top.startswith("celery_") else "raw" if top == "raw_consumer" else "both"
