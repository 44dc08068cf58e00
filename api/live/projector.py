"""The projector: what workers tell the ledger wakes the pages that look on.

What a page shows is read from the database, where workers write all that counts: that a run is taken, by whom, and what
came of it. The ledger's lines only say that it is time to look. This one thread reads them for all pages.

Without Redis there are no such lines: the pages are woken once a second instead.
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
        on_change: called, from this thread, when something has happened to any run.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(name="projector", daemon=True)
        self.on_change = on_change
        self.stopping = threading.Event()
        self.cursor: str | None = None  # what comes from now on

    def run(self) -> None:
        """See the class. Nothing that goes wrong here may end it."""
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
        """Read one batch and wake the pages; return how many events there were.

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
        """Ask it to end, and wait a little."""
        self.stopping.set()
        self.join(timeout=2.0)
