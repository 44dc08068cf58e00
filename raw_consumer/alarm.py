"""Alarm: it interrupts a job at the soft time limit. A job may ignore it; then the parent kills it (`pool.py`)."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cars_bot.context import Delivery
from cars_bot.errors import TimeLimitExceeded
from cars_bot.policy import Policy
from raw_consumer.shared_slot import Slot


# feature: soft and hard time limits
@contextmanager
def limited(slot: Slot, delivery: Delivery, policy: Policy) -> Iterator[None]:
    """Apply a job's time limits to a block. Only the main thread may call this: signals arrive nowhere else.

    Raises:
        TimeLimitExceeded: at any place of the block, when the soft limit is reached.
    """
    slot.run_id, slot.job = delivery.run_id.encode(), delivery.job.encode()[:64]
    signal.setitimer(signal.ITIMER_REAL, policy.soft_time_limit)  # first: the last job's alarm may be on its way
    slot.hard_limit, slot.began = policy.hard_time_limit, time.monotonic()
    try:
        yield
    finally:
        slot.began = 0.0  # an alarm has nothing to interrupt now; a call to cancel it would cost as much as to set it
        slot.jobs_done += 1


def ring(slot: Slot) -> None:
    """Interrupt the job in hand. This is the handler of SIGALRM."""
    if slot.began:
        raise TimeLimitExceeded


# end
