"""Outbox relay: a thread per lane that publishes accepted runs until a broker confirms them.

A run is accepted by a database transaction and by nothing else. The thread takes the unpublished rows, hands them to
the lane, and marks the confirmed ones. If it dies between confirm and mark, a message goes out twice, and the worker
recognises the copy. If the broker is away, the rows wait.
"""

import logging
import threading
import time
from contextlib import suppress

from api.publishing import lanes
from cars_bot import database, ledger, outbox, runs
from cars_bot.errors import CarsBotError, StorageUnavailable
from cars_bot.processes import leases
from cars_bot.processes.crash import crash_point

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2  # workers accept the next steps of workflows, and they cannot wake this thread
GATHER_SECONDS = 0.025  # between two batches; a batch costs about the same for one run as for fifty
BATCH = 500


class Relay(threading.Thread):
    """Publishes one lane's outbox until it is stopped."""

    def __init__(self, lane: str) -> None:
        super().__init__(name=f"relay-{lane}", daemon=True)
        self.lane = lane
        self.leader = leases.Leader(f"relay-{lane}")  # two relays would publish each run twice
        self.awake = threading.Event()
        self.stopping = False

    def run(self) -> None:
        """Publish the outbox, then wait for `wake` or the next poll.

        While the broker is away, the pauses grow: 0.4, 0.8, 1.6, 2, 2 … s.
        """
        pause = POLL_SECONDS
        while not self.stopping:
            try:
                waiting, confirmed = self.publish_some()
            except CarsBotError as error:
                log.warning("relay %s: %s", self.lane, error)
                waiting, confirmed = 1, 0
            except Exception:
                log.exception("relay %s", self.lane)
                waiting, confirmed = 1, 0
            if confirmed == BATCH:
                continue
            stuck = waiting > confirmed
            pause = min(pause * 2, 2.0) if stuck else POLL_SECONDS
            if stuck:
                time.sleep(pause)  # a new submission does not bring the broker back
            published_at = time.monotonic()
            self.awake.wait(pause)
            # A run that comes after a pause goes out at once.
            time.sleep(max(0.0, published_at + GATHER_SECONDS - time.monotonic()))
            self.awake.clear()

    def publish_some(self) -> tuple[int, int]:
        """Publish one batch. Return the number of waiting runs in it, and of confirmed ones."""
        if not self.leader.leads():
            return 0, 0
        with database.statements() as connection:
            batch = outbox.unpublished(connection, self.lane, BATCH)
        if not batch:
            return 0, 0
        confirmed = lanes.publish(self.lane, batch)
        crash_point("after-confirm")
        outbox.mark_published(confirmed)
        for run_id in confirmed:
            ledger.record("published", run_id, self.lane)
        return len(batch), len(confirmed)


_relays: dict[str, Relay] = {}


def start() -> None:
    """Start the threads; once per process."""
    for lane in runs.QUEUED_LANES:
        _relays[lane] = Relay(lane)
        _relays[lane].start()


def stop() -> None:
    """Ask the threads to end. Unpublished runs wait in the database."""
    for relay in _relays.values():
        relay.stopping = True
        relay.awake.set()
    for relay in _relays.values():
        relay.join(timeout=2.0)
        with suppress(StorageUnavailable):
            relay.leader.resign()
    _relays.clear()
    lanes.close()


def wake(lane: str) -> None:
    """Wake the lane's relay: there is a run to publish."""
    if lane in _relays and not _relays[lane].awake.is_set():  # to ask costs less than to set
        _relays[lane].awake.set()
