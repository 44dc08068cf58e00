"""Observation: all that is collected while a comparison runs, because it cannot be found out later.

These are the events of the ledger, the CPU time and memory of the workers, and the messages that the brokers got.
"""

import time

from api.comparing import wire_tap
from api.comparing.seen_events import SeenEvents
from api.comparing.usage import Usage
from api.publishing import lanes
from cars_bot.comparisons import environment
from cars_bot.comparisons.gather import gather
from cars_bot.comparisons.record import Record
from cars_bot.comparisons.rows import Comparison

SAMPLE_SECONDS = 0.5  # between two looks at the workers' CPU time and memory
LAST_EVENTS_SECONDS = 3.0  # the events of an ended run may come so late
PAUSE_SECONDS = 0.05


class Observation:
    """Observes one comparison. Make it before the first job is submitted, and `close` it in any case.

    Raises:
        StorageUnavailable: the workers cannot be read.
    """

    def __init__(self, comparison: Comparison, since: float) -> None:
        self._around = environment.describe(lanes.versions())
        self._events = SeenEvents(since)
        self._usage, self._sampled = Usage(comparison.request.lanes), time.monotonic()
        is_new = comparison.started_at is None  # else its first messages have gone by: another API began it
        self._taps = wire_tap.start(comparison.request) if is_new else []

    def look(self) -> None:
        """Read what is new. Call it often, and before each fault: a fault may empty Redis.

        Raises:
            StorageUnavailable: the workers cannot be read.
        """
        self._events.read()
        if time.monotonic() > self._sampled + SAMPLE_SECONDS:
            self._usage.sample()
            self._sampled = time.monotonic()

    def so_far(self, comparison: Comparison) -> Record:
        """Return the record of a comparison that runs, without its environment. Any thread may call it.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return gather(comparison, list(self._events.found), {})

    def record(self, comparison: Comparison) -> Record:
        """Return the record of a comparison that has ended. Wait a moment for its last events.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        self._usage.sample()
        give_up, pause = time.monotonic() + LAST_EVENTS_SECONDS, PAUSE_SECONDS
        while True:
            self._events.read()
            messages = {tap.lane: tap.found for tap in self._taps if not tap.missed}
            found = gather(comparison, self._events.found, self._around, self._usage.figures(), messages)
            if found.comparison["complete"] or time.monotonic() > give_up:
                return found
            time.sleep(pause)
            pause *= 2  # each look reads all runs again

    def close(self) -> None:
        """End the wire taps."""
        wire_tap.stop(self._taps)
