"""Lists of expressions from `data/phrases/`, as parts of regular expressions.

What people write around a figure is knowledge, not logic: it stands in files that can be read and extended. A file
has sections in brackets, and one regular expression a line; letters are lower-case and ё is е.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "phrases"
WORD_STARTS = r"(?<![а-яa-z])"


@cache
def sections(file: str) -> dict[str, list[str]]:
    """The expressions of one file by section, in the order of the file."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / f"{file}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            found[line[1:-1]] = []
        elif line and not line.startswith("# "):
            found[next(reversed(found))].append(line)
    return found


def any_of(file: str, section: str) -> str:
    """An expression that matches any of a section's."""
    return "(?:" + "|".join(sections(file)[section]) + ")"


def any_word_of(file: str, section: str) -> str:
    """The same for whole words; an expression that begins with a sign may follow anything."""
    parts = sections(file)[section]
    words = [part for part in parts if not part.startswith(("/", "(?:^"))]
    others = [part for part in parts if part not in words]
    return "(?:" + "|".join([rf"(?<!\w)(?:{'|'.join(words)})", *others]) + r")(?!\w)"
