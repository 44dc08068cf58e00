"""Record: the notes of one experiment, written by its processes and by the experiment itself."""

from pathlib import Path
from typing import Any

from experiments import evidence
from experiments.evidence import Note


class Record:
    """One file of notes.

    Args:
        path: the file. Processes that find its name in their variable EVIDENCE write into it, too.
    """

    def __init__(self, path: Path) -> None:
        self.evidence = path
        self._evidence = evidence.Reader(path)

    def note(self, what: str, **facts: Any) -> None:
        """Write down a step of the experiment itself."""
        evidence.write(self.evidence, what, facts)

    def let_pass(self, where: str) -> None:
        """Let every process pass that holds at `where` now, or will come to it later."""
        self.note("lets pass", where=where)
        evidence.gate_of(self.evidence, where).touch()

    def notes(self, what: str = "", **facts: Any) -> list[Note]:
        """Return the notes so far: all of them, or the events called `what` with these facts."""
        return [
            each for each in self._evidence.notes() if what in ("", each.what) and facts.items() <= each.facts.items()
        ]

    def count(self, what: str, **facts: Any) -> int:
        """Return the number of such events so far."""
        return len(self.notes(what, **facts))
