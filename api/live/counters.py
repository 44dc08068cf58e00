"""Counters: once a second the runs per lane and state, the ended runs per second, and the waiting messages.

The numbers come from the runs table and from the brokers, not from events. So a lost event makes no number wrong. The
cost is the same for one ended run per second and for five thousand. Without an open page nothing is counted.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.live import live_queries, unread_queues
from api.live.live_queries import Hub, Watched
from api.publishing import queue_depths
from cars_bot import database, runs
from cars_bot.database import tallies
from cars_bot.processes import clock

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
TICKS_KEPT = 120

Tick = dict[str, Any]
Counts = dict[str, dict[str, int]]


class Counters(Watched):
    """One tick a second for the counters and charts, and the ticks of the last two minutes."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.history: deque[Tick] = deque(maxlen=TICKS_KEPT)
        self.totals: Counts = {}
        self.rates: dict[str, float] = dict.fromkeys(runs.LANES, 0.0)
        self.depths: dict[str, int | None] = {}  # empty until the brokers were asked; None: a broker did not answer
        self._stamp, self._counted_at, self._took = -1, 0.0, 0.0

    async def follow(self) -> None:
        """Tick every second. A second task asks the brokers, so a broker without an answer does not delay a tick."""
        self._counted_at, self.rates = 0.0, dict.fromkeys(runs.LANES, 0.0)  # the time without a page gives no rate
        self.depths = {}  # and no depth
        async with asyncio.TaskGroup() as both:
            both.create_task(self._every_second(self._ask_brokers))
            both.create_task(self._every_second(self._tick))

    async def _every_second(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            began = time.monotonic()
            try:
                await work()
            except Exception as error:  # for example the database is away; try again in a second
                log.warning("counters: %s", error)
            await asyncio.sleep(max(TICK_SECONDS - (time.monotonic() - began), 0.1))

    async def _ask_brokers(self) -> None:
        asked = await queue_depths.ask()
        self.depths = {lane: _sum(list(of_queue.values())) for lane, of_queue in asked.items()} | {"inline": 0}

    async def _tick(self) -> None:
        await self._count()
        self.history.append({"at": clock.now(), "rate": self.rates, "depth": self.depths, "totals": self.totals,
                             "unserved": await run_in_threadpool(unread_queues.by_lane)})  # fmt: skip
        self.version += 1
        self.wake()

    async def _count(self) -> None:
        """Count the runs if anything has changed. If a count takes long, because the table is big, count less often."""
        stamp, now = self.hub.stamp, time.monotonic()
        passed = now - self._counted_at
        if passed < live_queries.PAUSE_FACTOR * self._took:
            return
        if stamp == self._stamp and passed < live_queries.POLL_SECONDS:
            self.rates = dict.fromkeys(runs.LANES, 0.0)
            return
        totals = await run_in_threadpool(count)
        if self._counted_at:
            self.rates = {lane: _rate(self.totals[lane], totals[lane], passed) for lane in totals}
        self.totals, self._stamp, self._counted_at, self._took = totals, stamp, now, time.monotonic() - now


def count() -> Counts:
    """Return the number of runs per lane and state."""
    counted = {lane: dict.fromkeys(runs.OPEN + runs.ENDED, 0) for lane in runs.LANES}
    with database.statements() as connection:
        for lane, numbers in tallies.counts(connection).items():
            counted[lane] |= {state: numbers[state] for state in counted[lane] if state in numbers}
    return counted


def _rate(before: dict[str, int], after: dict[str, int], seconds: float) -> float:
    """Return the ended runs per second. If old runs were deleted meanwhile, the result is 0 and not negative."""
    more = sum(after[state] - before[state] for state in runs.ENDED)
    return max(0.0, round(more / seconds, 1))


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
