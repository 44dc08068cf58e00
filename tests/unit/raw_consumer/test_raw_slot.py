"""What a parent reads of a child that is at work: two processes, one piece of memory."""

import ctypes
import mmap
import os
import signal
import time
import uuid
from typing import NoReturn

from cars_bot.catalogue import Policy
from cars_bot.outcome import Delivery
from raw_consumer.child import Child
from raw_consumer.limits import Slot

LIMITS = (0.5, 3600.0)  # seconds; each job has the other one's
READS = 1_000_000


def job(limit: float) -> tuple[Delivery, Policy]:
    """A job whose run's id tells its limit."""
    run_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, str(limit)))
    return Delivery(run_id, "debug_task", {}, "raw"), Policy(hard_time_limit=limit)


def work_for_ever(slot: Slot) -> NoReturn:
    """Be the child."""
    try:
        jobs = [job(limit) for limit in LIMITS]
        while True:
            for delivery, policy in jobs:
                with slot.working(delivery, policy):
                    pass
    finally:
        os._exit(1)


def test_a_parent_never_takes_one_job_for_another() -> None:
    """Jobs of microseconds, changed while the parent reads: none is ever past its limit, each has its own."""
    slot = Slot.from_buffer(mmap.mmap(-1, ctypes.sizeof(Slot)))
    child = Child("some worker/1", slot, pid=os.fork())
    if child.pid == 0:
        work_for_ever(slot)
    limits = {job(limit)[0].run_id: limit for limit in LIMITS}
    seen, mixed, overdue = set(), [], []
    try:
        for _ in range(READS):
            if in_hand := child.in_hand():
                seen.add(in_hand.run_id)
                if in_hand.hard_limit != limits[in_hand.run_id]:
                    mixed.append(in_hand)
                if time.monotonic() > in_hand.began + in_hand.hard_limit:
                    overdue.append(in_hand)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)

    assert seen == set(limits)
    assert mixed == overdue == []
