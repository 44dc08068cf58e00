"""Antipatterns as text: the lines that differ between two examples, and their events side by side."""

import difflib
import textwrap
from collections.abc import Sequence

from antipatterns.experiment import Experiment, Result
from experiments.evidence import Note

WIDTH = 56  # characters of a column


def difference(experiment: Experiment) -> list[str]:
    """Return the lines that differ between broken and fixed, marked - and +, without the modules' docstrings."""
    broken, fixed = code(experiment, "broken"), code(experiment, "fixed")
    lines = list(difflib.unified_diff(broken, fixed, lineterm="", n=2))[2:]
    return [line for line in lines if not line.startswith("@@")]


def code(experiment: Experiment, example: str) -> list[str]:
    """Return the lines of an example after its module's docstring."""
    lines = experiment.file(example).read_text(encoding="utf-8").splitlines()
    end = next(
        number for number, line in enumerate(lines) if line.rstrip().endswith('"""') and (number or len(line) > 3)
    )
    return lines[end + 1 :]


def line_of(note: Note, began: float) -> str:
    """Return one event in words, such as "1.25 s  started charge_subscription"."""
    facts = {name: value for name, value in note.facts.items() if name not in ("id", "arguments")}
    return f"{note.at - began:6.2f} s  {note.what} {' '.join(str(value) for value in facts.values())}".rstrip()


def columns(left: Sequence[str], right: Sequence[str]) -> str:
    """Return two texts beside each other, with long lines wrapped."""
    lines = []
    for pair in zip(*pad(left, right), strict=True):
        cells = [textwrap.wrap(text, WIDTH, subsequent_indent=" " * 10) or [""] for text in pair]
        lines += [f"{a:{WIDTH}} │ {b}".rstrip() for a, b in zip(*pad(*cells), strict=True)]
    return "\n".join(lines)


def pad(left: Sequence[str], right: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return both texts with the same number of lines."""
    length = max(len(left), len(right))
    return [*left, *[""] * (length - len(left))], [*right, *[""] * (length - len(right))]


def heading() -> str:
    """Return the heading of the two columns."""
    return columns(["BROKEN"], ["FIXED"]) + "\n" + "─" * WIDTH + "─┼─" + "─" * WIDTH


def ending(broken: Result, fixed: Result) -> str:
    """Return the counts and the verdicts of both examples."""
    counts = [[f"{name}: {count:g}" for name, count in result.counts.items()] for result in (broken, fixed)]
    return "\n".join(
        [columns([""], [""]), columns(*counts), "", f"broken: {broken.verdict}", f"fixed:  {fixed.verdict}"]
    )
