"""Waiting for a run's end: who waits is woken by the end itself, not by looking again and again.

Whatever ends a run tells the ledger, and Redis passes the run's id on to those who listen (`ledger.ENDED`). One task
listens while anybody waits. What it hears is a hint: the row is read, and only the row says that a run has ended. While
Redis is away, or a hint gets lost, whoever waits looks by itself, less and less often.
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

FIRST_LOOK, LAST_LOOK = 0.02, 0.5  # seconds between two looks that nobody has asked for: they grow from the first
WITHOUT_REDIS_SECONDS = 1.0
MOST_WAITING = 500  # requests; the next are answered at once


class Listener:
    """Wakes those who wait for a run when its end is told."""

    def __init__(self) -> None:
        self.waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.listening = asyncio.Event()
        self.count = 0
        self._task: asyncio.Task[None] | None = None

    def attach(self, run_id: str) -> asyncio.Event:
        """Have the event that is returned set when the run's end is told."""
        ended = asyncio.Event()
        self.waiting[run_id].add(ended)
        self.count += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        return ended

    def detach(self, run_id: str, ended: asyncio.Event) -> None:
        """The last one to leave stops the listening."""
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
                log.info("nobody tells of ends (%s); those who wait look by themselves", error)
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
    """Called within the event loop that serves the requests."""
    global _listener
    _listener = Listener()


async def ended(run_id: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> runs.Run:
    """The run as it is when it has ended, or after so many seconds, or when whoever asked is `gone`.

    Raises:
        Refused: there is no such run (404).
        StorageUnavailable: the database does not answer.
    """
    assert _listener is not None, "the application has not been started"
    run = await run_in_threadpool(submission.existing, run_id)
    if run.finished_at is not None or seconds <= 0 or _listener.count >= MOST_WAITING:
        return run
    deadline, pause = asyncio.get_running_loop().time() + seconds, FIRST_LOOK
    told = _listener.attach(run_id)
    try:
        while True:
            run = await run_in_threadpool(submission.existing, run_id)  # again: it may have ended before we listened
            left = deadline - asyncio.get_running_loop().time()
            if run.finished_at is not None or left <= 0 or await gone():
                return run
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, left)):
                    await told.wait()
            told.clear()
            pause = min(pause * 1.5, LAST_LOOK)
    finally:
        _listener.detach(run_id, told)
