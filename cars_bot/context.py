"""What a job function is given besides its arguments: who it is, and the way to write.

A job reads and calls whatever it likes while it works, but it does not write to the database itself: it hands its
writes over, and they are committed together with the outcome, or not at all. That is what makes it safe to run a job
twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

Write = Callable[[Connection], object]


@dataclass
class Context:
    """One attempt of one run, as its job function sees it."""

    run_id: str
    lane: str
    attempt: int
    worker: str
    writes: list[Write] = field(default_factory=list)
    effects: list[tuple[str, str, Any]] = field(default_factory=list)
    next_runs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def write(self, write: Write) -> None:
        """Have `write(connection)` called in the outcome's transaction."""
        self.writes.append(write)

    def effect(self, kind: str, key: str, detail: Any = None) -> None:
        """Record, in the outcome's transaction, that the world saw something; `key` names it, once and for all."""
        self.effects.append((kind, key, detail))

    def next(self, job: str, **args: Any) -> None:
        """Ask for a further run on the same lane, accepted in the outcome's transaction: it cannot get lost."""
        self.next_runs.append((job, args))
