"""Waiting for a run's end: the end itself wakes a waiting request.

The process that ends a run writes to the ledger, and Redis publishes the run's id on a channel (`ledger.ENDED`). One
task listens to that channel while any request waits. A message is only a hint. The request then reads the run's row,
and only the row decides. If Redis is away or a hint gets lost, a waiting request still reads the row, with growing
pauses: 0.02, 0.03, 0.045 … s, at most 0.5 s.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress

import redis.asyncio
from starlette.concurrency import run_in_threadpool

from api.publishing import submission
from cars_bot import ledger, runs
from cars_bot.settings import settings

log = logging.getLogger(__name__)

FIRST_LOOK, LAST_LOOK = 0.02, 0.5  # seconds, the first and the longest pause between two reads without a hint
WITHOUT_REDIS_SECONDS = 1.0
MOST_WAITING = 500  # requests; any further request is answered at once


class Listener:
    """Wakes the requests that wait for a run when a message about its end comes."""

    def __init__(self) -> None:
        self.waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.listening = asyncio.Event()
        self.count = 0
        self._task: asyncio.Task[None] | None = None

    def attach(self, run_id: str) -> asyncio.Event:
        """Return an event that is set when a message about the run's end comes."""
        ended = asyncio.Event()
        self.waiting[run_id].add(ended)
        self.count += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        return ended

    def detach(self, run_id: str, ended: asyncio.Event) -> None:
        """Remove `ended`. The last one to leave stops the listening."""
        self.waiting[run_id].discard(ended)
        if not self.waiting[run_id]:
            del self.waiting[run_id]
        self.count -= 1
        if not self.waiting and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                log.info("no messages about ends (%s); waiting requests read their rows by themselves", error)
            finally:
                self.listening.clear()
            await asyncio.sleep(WITHOUT_REDIS_SECONDS)

    async def _listen(self) -> None:
        client = redis.asyncio.Redis.from_url(settings().redis_url, socket_connect_timeout=1.0, decode_responses=True)
        try:
            async with client.pubsub() as channel:
                await channel.subscribe(ledger.ENDED)
                async for message in channel.listen():
                    if message["type"] == "subscribe":
                        self.listening.set()
                    elif message["type"] == "message":
                        for run_id in json.loads(message["data"]):
                            for ended in self.waiting.get(run_id, ()):
                                ended.set()
        finally:
            await client.aclose()


_listener: Listener | None = None


def start() -> None:
    """Create the listener. Call it inside the event loop that serves the requests."""
    global _listener
    _listener = Listener()


async def ended(run_id: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> runs.Run:
    """Return the run when it has ended, when the seconds are over, or when its client is `gone`.

    Raises:
        Refused: there is no such run (404).
        StorageUnavailable: the database does not answer.
    """
    assert _listener is not None, "the application has not been started"
    run = await run_in_threadpool(submission.existing, run_id)
    if run.finished_at is not None or seconds <= 0 or _listener.count >= MOST_WAITING:
        return run
    deadline, pause = asyncio.get_running_loop().time() + seconds, FIRST_LOOK
    hint = _listener.attach(run_id)
    try:
        while True:
            run = await run_in_threadpool(submission.existing, run_id)  # again: it may have ended before we listened
            left = deadline - asyncio.get_running_loop().time()
            if run.finished_at is not None or left <= 0 or await gone():
                return run
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, left)):
                    await hint.wait()
            hint.clear()
            pause = min(pause * 1.5, LAST_LOOK)
    finally:
        _listener.detach(run_id, hint)
