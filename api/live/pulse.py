"""The pulse: once a second, runs per lane and state, runs ended per second, messages waiting.

The numbers come from the runs table and from the brokers, not from events: they are right whatever was missed, and they
cost the same whether one run ends in a second or five thousand. A pulse nobody watches does not beat.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.live import unread_queues, views
from api.live.views import Hub, Watched
from api.publishing import depths
from cars_bot import database, runs
from cars_bot.database import tallies
from cars_bot.processes import clock

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
TICKS_KEPT = 120

Tick = dict[str, Any]
Counts = dict[str, dict[str, int]]


class Pulse(Watched):
    """A tick a second for the counters and charts, and the last two minutes of ticks."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.history: deque[Tick] = deque(maxlen=TICKS_KEPT)
        self.totals: Counts = {}
        self.rates: dict[str, float] = dict.fromkeys(runs.LANES, 0.0)
        self.depths: dict[str, int | None] = dict.fromkeys(runs.LANES)
        self._stamp, self._counted_at, self._took = -1, 0.0, 0.0

    async def follow(self) -> None:
        """Beat. The brokers are asked beside it: one that does not answer shall not stop the clock."""
        self._counted_at, self.rates = 0.0, dict.fromkeys(runs.LANES, 0.0)  # a pause tells no rate
        async with asyncio.TaskGroup() as both:
            both.create_task(self._every_second(self._ask_brokers))
            both.create_task(self._every_second(self._beat))

    async def _every_second(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            began = time.monotonic()
            try:
                await look()
            except Exception as error:  # the database is away, or anything else: the next look may find it back
                log.warning("pulse: %s", error)
            await asyncio.sleep(max(TICK_SECONDS - (time.monotonic() - began), 0.1))

    async def _ask_brokers(self) -> None:
        asked = await depths.ask()
        self.depths = {lane: _sum(list(of_queue.values())) for lane, of_queue in asked.items()} | {"inline": 0}

    async def _beat(self) -> None:
        await self._count()
        self.history.append({"at": clock.now(), "rate": self.rates, "depth": self.depths, "totals": self.totals,
                             "unserved": await run_in_threadpool(unread_queues.by_lane)})  # fmt: skip
        self.version += 1
        self.tell()

    async def _count(self) -> None:
        """Count the runs, if anything has changed; a table so big that counting takes long is counted less often."""
        stamp, now = self.hub.stamp, time.monotonic()
        passed = now - self._counted_at
        if passed < views.EASE * self._took:
            return
        if stamp == self._stamp and passed < views.UNASKED:
            self.rates = dict.fromkeys(runs.LANES, 0.0)
            return
        totals = await run_in_threadpool(count)
        if self._counted_at:
            self.rates = {lane: _rate(self.totals[lane], totals[lane], passed) for lane in totals}
        self.totals, self._stamp, self._counted_at, self._took = totals, stamp, now, time.monotonic() - now


def count() -> Counts:
    """Runs per lane and state."""
    counted = {lane: dict.fromkeys(runs.OPEN + runs.ENDED, 0) for lane in runs.LANES}
    with database.statements() as connection:
        for lane, numbers in tallies.counts(connection).items():
            counted[lane] |= {state: numbers[state] for state in counted[lane] if state in numbers}
    return counted


def _rate(before: dict[str, int], after: dict[str, int], seconds: float) -> float:
    """Runs ended per second; old ones may have been cleaned up meanwhile, which is no negative work."""
    more = sum(after[state] - before[state] for state in runs.ENDED)
    return max(0.0, round(more / seconds, 1))


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
