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
        holder: the process that is to hold the attempt (`liveness.py`); none named: the one that takes it.
        received_at: when the worker got it, in seconds since 1970; 0: not known.
        limit: seconds after which its process is killed; None: as the job's policy says.
    """

    run_id: str
    job: str
    args: dict[str, Any]
    lane: str
    redelivered: bool = False
    steps: Sequence[Step] = ()
    passes_on: bool = False
    parent: str | None = None
    holder: str = ""
    limit: float | None = None
    received_at: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """An attempt that this process holds, as the run's row tells it.

    Attributes:
        number: from 1.
        holder: the process that holds it (`liveness.py`).
        waits: how often the run was told to come back later, before.
        waited: seconds for which it was told so, in all.
    """

    number: int
    args: dict[str, Any]
    steps: Sequence[Step] = ()
    holder: str = ""
    waits: int = 0
    waited: float = 0.0


@dataclass(frozen=True)
class Done:
    """The job succeeded; `result` is stored with the run."""

    result: Any


@dataclass(frozen=True)
class Retry:
    """To be tried again after `after` seconds, because of `error`. `told`: told to wait, which uses up no attempt."""

    after: float
    error: str
    told: bool = False


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


@dataclass(frozen=True)
class AtWork:
    """Another process holds the run and is alive: the message is a copy, and may be forgotten."""


@dataclass(frozen=True)
class Wait:
    """Nothing was begun: the same message is to come again after `after` seconds, because of `why`."""

    after: float
    why: str


@dataclass(frozen=True)
class PutAside:
    """The message is not one that a worker can act on, because of `why`; its run, if there is one, is left alone."""

    why: str


Refused = Expired | Failed | AlreadyEnded | AtWork | Wait | PutAside
Outcome = Done | Retry | Refused
