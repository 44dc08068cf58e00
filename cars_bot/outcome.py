"""Outcomes: each attempt ends in one of these. Both lanes and all run stores use them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """The job succeeded; `result` is stored with the run."""

    result: Any


@dataclass(frozen=True)
class Retry:
    """Try again after `after` seconds, because of `error`. `told`: it was told to wait, which uses up no attempt."""

    after: float
    error: str
    told: bool = False


@dataclass(frozen=True)
class Failed:
    """The run failed for good, because of `error`."""

    error: str


@dataclass(frozen=True)
class Expired:
    """The run waited longer than its queue's TTL and was not started."""


@dataclass(frozen=True)
class AlreadyEnded:
    """The run had ended in `state` before this attempt. Nothing that this attempt wrote was kept."""

    state: str


@dataclass(frozen=True)
class AtWork:
    """Another living process holds the run. The message is a copy and may be forgotten."""


@dataclass(frozen=True)
class Wait:
    """Nothing was begun. The same message must come again after `after` seconds, because of `why`."""

    after: float
    why: str


@dataclass(frozen=True)
class PutAside:
    """No worker can act on the message, because of `why`. It becomes a dead letter."""

    why: str


Refused = Expired | Failed | AlreadyEnded | AtWork | Wait | PutAside
Outcome = Done | Retry | Refused
