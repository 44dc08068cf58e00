"""Settlement: the decision about a message after its run's attempt has ended. `consumer.py` carries it out.

Done, Expired                    Ack
Retry(after), Wait(after)        RetryAfter(after)
Failed, PutAside                 DeadLetter(the error)
AtWork, AlreadyEnded             Ack: the message is a copy …
  … as FAILED, redelivered       DeadLetter: its first worker may have been killed before it made one
"""

from dataclasses import dataclass

from cars_bot.outcome import AlreadyEnded, Failed, Outcome, PutAside, Retry, Wait


@dataclass(frozen=True)
class Ack:
    """The broker may forget the message."""


@dataclass(frozen=True)
class RetryAfter:
    """The message comes again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class DeadLetter:
    """The message is kept for a person."""

    reason: str


Decision = Ack | RetryAfter | DeadLetter


def decide(outcome: Outcome, redelivered: bool) -> Decision:
    """Return the decision for a message whose attempt ended in `outcome`."""
    match outcome:
        # feature: retries with backoff and jitter
        case Retry(after) | Wait(after):
            return RetryAfter(after)
        # end
        # feature: dead letters with replay
        case Failed(error) | PutAside(error):
            return DeadLetter(error)
        case AlreadyEnded("FAILED") if redelivered:
            return DeadLetter("its run has ended as FAILED")
        # end
        case _:
            return Ack()
