"""The outbox relay and the reconciler: what was accepted gets published, however often it takes.

A run is accepted by a database transaction and by nothing else. A thread per lane takes the unpublished rows, hands
them to the lane, and marks what the broker confirmed. It dies between confirm and mark? Then a message goes out
twice, and the worker recognises the copy. The broker is away? Then the rows wait.

The reconciler looks for runs that a broker took and never gave to anybody (its disk was lost, a queue was deleted,
Redis dropped a message on the way to a worker) and puts them back into the outbox. It only does so when the lane's
queues are empty: a run that waits in a long queue is not lost.
"""

import logging
import threading
import time

from api import lanes, queues
from cars_bot import database, ledger, outbox
from cars_bot.catalogue import JOBS
from cars_bot.crash import crash_point
from cars_bot.errors import CarsBotError

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2  # next runs are accepted by workers, which cannot wake us
BATCH = 500
RECONCILE_SECONDS = 5.0
GRACE_SECONDS = 15.0  # how long a message may be on its way between an empty queue and a worker's first word

_LONGEST_JOB = max(job.policy.hard_time_limit for job in JOBS.values())


class Relay(threading.Thread):
    """Publishes one lane's outbox until it is stopped."""

    def __init__(self, lane: str) -> None:
        super().__init__(name=f"relay-{lane}", daemon=True)
        self.lane = lane
        self.awake = threading.Event()
        self.stopping = False

    def run(self) -> None:
        """Publish what there is; wait to be woken, or for the next poll; back off while the broker is away."""
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
                time.sleep(pause)  # being woken by the next submit does not bring the broker back
            self.awake.wait(pause)
            self.awake.clear()

    def publish_some(self) -> tuple[int, int]:
        """Publish one batch; return how many runs were waiting and how many were confirmed."""
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


class Reconciler(threading.Thread):
    """Looks, every few seconds, for what got lost on the way."""

    def __init__(self) -> None:
        super().__init__(name="reconciler", daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopping.wait(RECONCILE_SECONDS):
            try:
                self.look()
            except CarsBotError as error:
                log.warning("reconciler: %s", error)
            except Exception:
                log.exception("reconciler")

    def look(self) -> None:
        """Expire what is overdue; publish again what an empty lane still owes."""
        now = time.time()
        for run_id in outbox.expire_overdue(now):
            ledger.record("expired", run_id, "")
        for lane in lanes.PUBLISHERS:
            if queues.waiting(lane) != 0:
                continue
            beyond_any_job = now - _LONGEST_JOB - GRACE_SECONDS
            lost = outbox.publish_again(
                lane,
                # Without the ledger a run stays PENDING while it is worked on.
                pending_before=now - GRACE_SECONDS if ledger.answers() else beyond_any_job,
                working_before=beyond_any_job,
                retrying_before=now - GRACE_SECONDS,
            )
            for run_id in lost:
                ledger.record("lost", run_id, lane, detail="published again")
            if lost:
                log.warning(
                    "reconciler: %d runs of the %s lane were lost on the way; publishing them again", len(lost), lane
                )
                wake(lane)


_relays: dict[str, Relay] = {}
_reconciler: Reconciler | None = None


def start() -> None:
    """Start the threads; once per process."""
    global _reconciler
    for lane in lanes.PUBLISHERS:
        _relays[lane] = Relay(lane)
        _relays[lane].start()
    _reconciler = Reconciler()
    _reconciler.start()


def stop() -> None:
    """Ask the threads to end; what they have not published waits in the database."""
    for relay in _relays.values():
        relay.stopping = True
        relay.awake.set()
    if _reconciler is not None:
        _reconciler.stopping.set()
    for thread in (*_relays.values(), _reconciler):
        if thread is not None:
            thread.join(timeout=2.0)
    _relays.clear()
    lanes.close()


def wake(lane: str) -> None:
    """Tell the lane's relay that there is something to publish."""
    if lane in _relays:
        _relays[lane].awake.set()
