"""Queue depths in bounded time: the brokers get one question at a time, and every caller gets an answer within 2 s.

A frozen broker neither answers nor refuses. The questions for all its queues then take as long as all timeouts
together. Until they end, the answer here is None (unknown).
"""

import asyncio

from starlette.concurrency import run_in_threadpool

from api.publishing import queues
from cars_bot import runs
from cars_bot.catalogue import QUEUES

PATIENCE = 2.0  # seconds

Depths = dict[str, dict[str, int | None]]

_asking: asyncio.Task[Depths] | None = None


async def ask() -> Depths:
    """Return the waiting messages per lane and queue, or None where no broker has answered in time."""
    global _asking
    if _asking is None or _asking.done():
        _asking = asyncio.create_task(run_in_threadpool(queues.depths))
    try:
        return await asyncio.wait_for(asyncio.shield(_asking), PATIENCE)
    except TimeoutError:
        return {lane: dict.fromkeys(QUEUES) for lane in runs.QUEUED_LANES}
