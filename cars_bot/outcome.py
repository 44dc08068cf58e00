"""What goes into an attempt and what comes out of it: words that both lanes and every book share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cars_bot.context import Step


@dataclass(frozen=True)
class Delivery:
    """A message as the lane received it.

    Attributes:
        redelivered: the broker says it has handed it out before.
        steps: those that follow in its workflow.
        passes_on: the lane sends the next step's message itself; else the relay does.
        parent: the run that sent it, if it is one that came by hand.
    """

    run_id: str
    job: str
    args: dict[str, Any]
    lane: str
    redelivered: bool = False
    steps: Sequence[Step] = ()
    passes_on: bool = False
    parent: str | None = None


@dataclass(frozen=True)
class Done:
    """The job succeeded; `result` is stored with the run."""

    result: Any


@dataclass(frozen=True)
class Retry:
    """To be tried again after `after` seconds, because of `error`."""

    after: float
    error: str


@dataclass(frozen=True)
class Failed:
    """Will not be tried again, because of `error`."""

    error: str


@dataclass(frozen=True)
class Expired:
    """Waited longer than its queue's TTL and was not started."""


@dataclass(frozen=True)
class AlreadyEnded:
    """The run had ended in `state` before this attempt could end it; nothing this attempt wrote was kept."""

    state: str


Outcome = Done | Retry | Failed | Expired | AlreadyEnded
