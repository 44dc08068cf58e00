"""Queue depths for those who cannot wait: one question to the brokers at a time, and an answer in bounded time.

A broker that is frozen, not gone, answers neither yes nor no, and asking it queue by queue takes as long as all its
timeouts together. Meanwhile everybody here is told that it is unknown.
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
    """Messages waiting per lane and queue; None where no broker has answered in time."""
    global _asking
    if _asking is None or _asking.done():
        _asking = asyncio.create_task(run_in_threadpool(queues.depths))
    try:
        return await asyncio.wait_for(asyncio.shield(_asking), PATIENCE)
    except TimeoutError:
        return {lane: dict.fromkeys(QUEUES) for lane in runs.QUEUED_LANES}
