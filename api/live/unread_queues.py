"""Queues without a worker: the sentence that a page shows about them."""

from collections.abc import Sequence

from cars_bot.catalogue import QUEUES
from cars_bot.processes import liveness
from cars_bot.runs import QUEUED_LANES, Run

PROGRAMS = {"celery": "celery_worker", "raw": "consumer"}


def by_lane() -> dict[str, str]:
    """Return a sentence for each lane with a broker. It is "" if each queue has a worker."""
    return {lane: _sentence(lane, liveness.unserved(lane, QUEUES)) for lane in QUEUED_LANES}


def of_run(run: Run) -> str:
    """Return the sentence for a run that waits in a queue without a worker, or "" for any other run."""
    if run.finished_at is not None or run.state == "IN_PROGRESS" or run.lane not in QUEUED_LANES:
        return ""
    return _sentence(run.lane, liveness.unserved(run.lane, [run.queue]))


def _sentence(lane: str, queues: Sequence[str]) -> str:
    if not queues:
        return ""
    which = "any queue" if len(queues) == len(QUEUES) else ", ".join(queues)
    return f"No worker reads {which} of this lane: runs wait. Start one: ./kit scale {PROGRAMS[lane]}=1"
