"""What a child is doing and since when, in memory it shares with its parent, and the time limits that hang on it.

The soft limit is the child's own: an alarm interrupts the job where it is. A job may ignore that, or hang where no
alarm reaches it. The hard limit is therefore the parent's, who reads the slot and kills (`pool.py`).
"""

import ctypes
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cars_bot.catalogue import Policy
from cars_bot.errors import TimeLimitExceeded
from cars_bot.outcome import Delivery


class Slot(ctypes.Structure):
    """One child's line in the shared memory. The child writes it, the parent reads it."""

    _fields_ = (
        ("run_id", ctypes.c_char * 36),
        ("job", ctypes.c_char * 64),
        ("began", ctypes.c_double),  # monotonic seconds; 0 when idle
        ("hard_limit", ctypes.c_double),  # seconds
        ("jobs_done", ctypes.c_uint64),
    )
    run_id: bytes
    job: bytes
    began: float
    hard_limit: float
    jobs_done: int

    # feature: soft and hard time limits
    @contextmanager
    def working(self, delivery: Delivery, policy: Policy) -> Iterator[None]:
        """Hold a job's limits for as long as the block lasts. On the main thread: nowhere else do signals arrive.

        Raises:
            TimeLimitExceeded: wherever the block happens to be when the soft limit is reached.
        """
        self.run_id, self.job = delivery.run_id.encode(), delivery.job.encode()[:64]
        signal.setitimer(signal.ITIMER_REAL, policy.soft_time_limit)  # first: the last job's alarm may be on its way
        self.hard_limit, self.began = policy.hard_time_limit, time.monotonic()
        try:
            yield
        finally:
            self.began = 0.0  # the alarm finds nothing to interrupt now; to call it off would cost as much as to set it
            self.jobs_done += 1

    def on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        """The handler of SIGALRM."""
        if self.began:
            raise TimeLimitExceeded

    # end
