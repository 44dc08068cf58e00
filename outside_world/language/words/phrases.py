"""Lists of phrases from `data/phrases/`, as parts of regular expressions.

The phrases that people write around a figure are knowledge, not logic. So they are in files that are easy to read and
to extend. A file has sections in brackets, and one regular expression on each line. Letters are lower-case, and ё is е.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "phrases"
WORD_STARTS = r"(?<![а-яa-z])"


@cache
def sections(file: str) -> dict[str, list[str]]:
    """Return the expressions of one file by section, in the order of the file."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / f"{file}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            found[line[1:-1]] = []
        elif line and not line.startswith("# "):
            found[next(reversed(found))].append(line)
    return found


def any_of(file: str, section: str) -> str:
    """Return an expression that matches any expression of a section."""
    return "(?:" + "|".join(sections(file)[section]) + ")"


def any_word_of(file: str, section: str) -> str:
    """Return the same for whole words. An expression that begins with a sign may stand after any character."""
    parts = sections(file)[section]
    words = [part for part in parts if not part.startswith(("/", "(?:^"))]
    others = [part for part in parts if part not in words]
    return "(?:" + "|".join([rf"(?<!\w)(?:{'|'.join(words)})", *others]) + r")(?!\w)"
