"""Context: the parts that go into an attempt. They are the delivery, the attempt itself, and the way to write.

A job reads and calls anything while it works, but it never writes to the database itself. It hands over its writes.
They are committed together with the outcome, or not at all. So a job may run twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

Write = Callable[[Connection], object]


class Step(NamedTuple):
    """One step of a workflow (`workflow.py`): a job, and the id of its run."""

    job: str
    run_id: str
    priority: int = 0


@dataclass(frozen=True)
class Delivery:
    """A message as the lane received it."""

    run_id: str
    job: str
    args: dict[str, Any]
    lane: str
    redelivered: bool = False  # the broker says that it delivered the message before
    steps: Sequence[Step] = ()  # the following steps of its workflow
    passes_on: bool = False  # the lane sends the next step's message itself; otherwise the relay does
    parent: str | None = None  # the run that sent this one, if it was sent by hand
    holder: str = ""  # the process that holds the attempt (`names.py`); "": the process that takes it
    limit: float | None = None  # seconds until its process is killed; None: the limit of the job's policy
    received_at: float = 0.0  # its arrival at the worker, in seconds since 1970; 0: unknown


@dataclass(frozen=True)
class Attempt:
    """An attempt that this process holds, as in the run's row."""

    number: int  # from 1
    args: dict[str, Any]
    steps: Sequence[Step] = ()
    holder: str = ""  # the process that holds it (`names.py`)
    waits: int = 0  # the number of times that the run was told to wait before
    waited: float = 0.0  # the seconds of these waits in all


@dataclass
class Context:
    """One attempt of one run, as its job function sees it."""

    delivery: Delivery
    taken: Attempt
    worker: str
    steps: list[Step] = field(default_factory=list)  # the following steps of the workflow
    writes: list[Write] = field(default_factory=list)
    effects: list[tuple[str, str, Any]] = field(default_factory=list)
    next_runs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.delivery.run_id

    @property
    def lane(self) -> str:
        """The run's lane."""
        return self.delivery.lane

    @property
    def attempt(self) -> int:
        """The attempt's number, from 1."""
        return self.taken.number

    def write(self, write: Write) -> None:
        """Call `write(connection)` later, in the outcome's transaction."""
        self.writes.append(write)

    def effect(self, kind: str, key: str, detail: Any = None) -> None:
        """Record an effect in the outcome's transaction. `key` is its idempotency key."""
        self.effects.append((kind, key, detail))

    def next(self, job: str, **args: Any) -> None:
        """Accept a further run on the same lane in the outcome's transaction, so that it cannot get lost."""
        self.next_runs.append((job, args))

    def stop(self) -> None:
        """End the workflow after this run. Without a workflow this does nothing."""
        self.steps = []
