"""The slot of a child at work, as its parent reads it: two processes, one piece of memory."""

import ctypes
import mmap
import os
import signal
import time
import uuid
from typing import NoReturn

from cars_bot.context import Delivery
from cars_bot.policy import Policy
from raw_consumer.alarm import limited
from raw_consumer.child import Child
from raw_consumer.shared_slot import Slot

LIMITS = (0.5, 3600.0)  # seconds; the jobs alternate between these two limits
READS = 1_000_000


def job(limit: float) -> tuple[Delivery, Policy]:
    """A job with this limit, and a run id that is made from the limit."""
    run_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, str(limit)))
    return Delivery(run_id, "debug_task", {}, "raw"), Policy(hard_time_limit=limit)


def work_for_ever(slot: Slot) -> NoReturn:
    """Play the child."""
    try:
        jobs = [job(limit) for limit in LIMITS]
        while True:
            for delivery, policy in jobs:
                with limited(slot, delivery, policy):
                    pass
    finally:
        os._exit(1)


def test_a_parent_never_takes_one_job_for_another() -> None:
    """Jobs of microseconds change while the parent reads. None is ever past its limit, and each has its own limit."""
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
