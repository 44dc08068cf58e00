"""Lab: a folder with a question, two starters, two solutions, three hints and a check."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from commands.common.console import USAGE, Problem

HERE = Path(__file__).resolve().parent
LANES = ("celery", "raw")
HINTS = 3


@dataclass(frozen=True)
class Lab:
    """One lab, by its folder."""

    folder: Path

    @property
    def number(self) -> int:
        """The lab's number, 1 to 18."""
        return int(self.folder.name[3:5])

    @property
    def name(self) -> str:
        """The name of its folder, such as lab06_retries."""
        return self.folder.name

    @cached_property
    def readme(self) -> str:
        """The text of its README."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The README's heading, without the number."""
        return self.readme.partition("\n")[0].partition(". ")[2]

    def section(self, heading: str) -> str:
        """Return the README's text under `## heading`, up to the next heading; empty if there is none."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.readme, re.MULTILINE | re.DOTALL)
        return found[1].strip() if found else ""

    @property
    def hints(self) -> list[str]:
        """Three hints; each says more than the one before."""
        text = (self.folder / "hints.md").read_text(encoding="utf-8")
        return [hint.strip() for hint in re.split(r"^## .*\n", text, flags=re.MULTILINE)[1:]]

    def starter(self, lane: str) -> Path:
        """The program with which a student begins."""
        return self.folder / f"starter_{lane}.py"

    def solution(self, lane: str) -> Path:
        """A program that passes the check."""
        return self.folder / f"solution_{lane}.py"


def all_labs() -> list[Lab]:
    """Return all labs, in order."""
    return [Lab(folder) for folder in sorted(HERE.glob("lab[0-9][0-9]_*"))]


def lab(number: int) -> Lab:
    """Return the lab with that number.

    Raises:
        Problem: no lab has it.
    """
    for each in all_labs():
        if each.number == number:
            return each
    raise Problem(f"there is no lab {number}", "./kit lab list names them", code=USAGE)
