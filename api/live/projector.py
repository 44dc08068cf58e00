"""Projector: a thread that wakes the open pages when workers write new events into the ledger.

A page shows facts from the database only. There the workers store which process took a run, and its outcome. An event
of the ledger only means that it is time to query again. One thread reads the events for all pages.

Without Redis there are no events, so the pages are woken once a second instead.
"""

import logging
import threading
import time
from collections.abc import Callable

import redis

from cars_bot import ledger

log = logging.getLogger(__name__)

BATCH = 5_000  # events
BATCH_SECONDS = 0.2
BLOCK_MS = 500
WITHOUT_REDIS_SECONDS = 1.0


class Projector(threading.Thread):
    """Reads the ledger until stopped.

    Args:
        on_change: called from this thread after an event of any run.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(name="projector", daemon=True)
        self.on_change = on_change
        self.stopping = threading.Event()
        self.cursor: str | None = None  # None: begin with the next event

    def run(self) -> None:
        """See the class. No error may end this thread."""
        client = ledger.connect()
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                found = self.project(client)
            except redis.RedisError:
                self.on_change()
                self.stopping.wait(WITHOUT_REDIS_SECONDS)
                continue
            except Exception:
                log.exception("projector: skipping what it cannot read")
                self.cursor, found = None, 0
            if 0 < found < BATCH:
                self.stopping.wait(max(0.0, BATCH_SECONDS - (time.monotonic() - began)))

    def project(self, client: redis.Redis) -> int:
        """Read one batch of events, wake the pages, and return the number of events.

        Raises:
            redis.RedisError: Redis is away.
        """
        if self.cursor is None:
            self.cursor = ledger.newest(client)
        events = ledger.read(client, self.cursor, count=BATCH, block_ms=BLOCK_MS)
        if events:
            self.cursor = events[-1].cursor
            self.on_change()
        return len(events)

    def stop(self) -> None:
        """Ask the thread to end, and wait up to 2 s."""
        self.stopping.set()
        self.join(timeout=2.0)
