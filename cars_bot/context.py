"""What a job function is given besides its arguments: who it is, and the way to write.

A job reads and calls whatever it likes while it works, but it does not write to the database itself: it hands its
writes over, and they are committed together with the outcome, or not at all. That is what makes it safe to run a job
twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

Write = Callable[[Connection], object]


class Step(NamedTuple):
    """One step of a workflow (`workflow.py`): a job, and the run that is to do it."""

    job: str
    run_id: str
    priority: int = 0


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
    # Of the workflow, what follows; all steps are given the same arguments.
    steps: list[Step] = field(default_factory=list)
    args: dict[str, Any] = field(default_factory=dict)
    passes_on: bool = False
    holder: str = ""  # the process that holds the attempt (`liveness.py`)

    def write(self, write: Write) -> None:
        """Have `write(connection)` called in the outcome's transaction."""
        self.writes.append(write)

    def effect(self, kind: str, key: str, detail: Any = None) -> None:
        """Record, in the outcome's transaction, that the world saw something; `key` names it, once and for all."""
        self.effects.append((kind, key, detail))

    def next(self, job: str, **args: Any) -> None:
        """Ask for a further run on the same lane, accepted in the outcome's transaction: it cannot get lost."""
        self.next_runs.append((job, args))

    def stop(self) -> None:
        """Have the workflow end here that this run is a step of; for a run by itself it means nothing."""
        self.steps = []
