"""The projector: what workers tell the ledger becomes IN_PROGRESS in the runs table, and wakes the pages that look on.

A worker writes a run's outcome to the database itself, but not that it has started: that would be a second transaction
per run. It drops a line in the ledger, and this one thread carries such lines over in batches, one transaction each. A
run that starts and ends within a batch is left alone, so a drain of quick runs costs next to nothing here.

Without Redis there are no such lines: runs go from PENDING to their end, and the pages are woken once a second instead.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import redis

from cars_bot import ledger, runs
from cars_bot.catalogue import JOBS
from cars_bot.errors import CarsBotError
from cars_bot.ledger import Event

log = logging.getLogger(__name__)

BATCH = 5_000  # events
BATCH_SECONDS = 0.2
BLOCK_MS = 500
WITHOUT_REDIS_SECONDS = 1.0

NOT_FURTHER = {"succeeded", "failed", "retry", "expired", "revoked", "superseded"}


def still_running(events: Sequence[Event]) -> list[tuple[str, int, str, float]]:
    """The runs that started in these events and neither ended nor went back to wait, as `mark_started` takes them."""
    started: dict[str, tuple[str, int, str, float]] = {}
    for event in events:
        if event.event == "started":
            started[event.run] = (event.run, event.attempt, event.worker, event.at)
        elif event.event in NOT_FURTHER:
            started.pop(event.run, None)
    return list(started.values())


def cursor_at(moment: float) -> str:
    """Where the ledger's stream is at a moment (seconds since 1970)."""
    return f"{int(moment * 1000)}-0"


class Projector(threading.Thread):
    """Reads the ledger until stopped.

    Args:
        on_change: called, from this thread, when something has happened to any run.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(name="projector", daemon=True)
        self.on_change = on_change
        self.stopping = threading.Event()
        # What started while no projector ran, and may still be at work, is caught up with.
        self.cursor = cursor_at(time.time() - max(job.policy.hard_time_limit for job in JOBS.values()))

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
            except CarsBotError as error:
                log.warning("projector: %s", error)  # the cursor has not moved: the batch is read again
                found = 0
                self.stopping.wait(WITHOUT_REDIS_SECONDS)
            except Exception:
                log.exception("projector: skipping what it cannot read")
                self.cursor, found = cursor_at(time.time()), 0
            if 0 < found < BATCH:
                self.stopping.wait(max(0.0, BATCH_SECONDS - (time.monotonic() - began)))

    def project(self, client: redis.Redis) -> int:
        """Carry one batch over; return how many events there were.

        Raises:
            redis.RedisError: Redis is away.
            StorageUnavailable: nothing was carried over; the same batch comes again.
        """
        events = ledger.read(client, self.cursor, count=BATCH, block_ms=BLOCK_MS)
        if events:
            runs.mark_started(still_running(events))
            self.cursor = events[-1].cursor
            self.on_change()
        return len(events)

    def stop(self) -> None:
        """Ask it to end, and wait a little."""
        self.stopping.set()
        self.join(timeout=2.0)
