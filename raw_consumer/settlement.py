"""What becomes of a message when its run's attempt has ended: a pure decision. `consumer.py` carries it out.

Done, Expired                    Ack
Retry(after), Wait(after)        RetryAfter(after)
Failed, PutAside                 DeadLetter(the error)
AtWork, AlreadyEnded             Ack: the message is a copy …
  … as FAILED, redelivered       DeadLetter: … or its first worker was killed before it could do just that
"""

from dataclasses import dataclass

from cars_bot.outcome import AlreadyEnded, Failed, Outcome, PutAside, Retry, Wait


@dataclass(frozen=True)
class Ack:
    """The broker may forget the message."""


@dataclass(frozen=True)
class RetryAfter:
    """The message is to come again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class DeadLetter:
    """The message is to be kept where a person can look at it."""

    reason: str


Decision = Ack | RetryAfter | DeadLetter


def settle(outcome: Outcome, redelivered: bool) -> Decision:
    """Say what becomes of the message whose attempt ended in `outcome`."""
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
