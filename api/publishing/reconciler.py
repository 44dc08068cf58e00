"""The reconciler: what was published and got lost on the way comes into the outbox again.

A broker may take a message and never give it to anybody: its disk was lost, a queue was deleted, Redis dropped a
message on the way to a worker. And a worker may be gone with the message. The reconciler only looks when the lane's
queues are empty: a run that waits in a long queue is not lost. Nor is one that a worker holds, or works on, however
long that takes. Each time it waits longer before it publishes a run again, and it does not do so for ever
(`outbox.publish_again`).

The inline lane has no broker that could bring a run back. What an API that is gone has left behind ends FAILED.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from api.publishing import queues, relay
from cars_bot import attempts, database, ledger, outbox, runs
from cars_bot.catalogue import JOBS
from cars_bot.database import run_lists
from cars_bot.errors import CarsBotError, StorageUnavailable
from cars_bot.processes import clock, leases, liveness

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
ABANDONED = "the API stopped while it ran; the inline lane has nobody to come back to it"
_LONGEST_JOB = max(job.policy.hard_time_limit for job in JOBS.values())


class Reconciler(threading.Thread):
    """Looks, every few seconds, for what got lost on the way."""

    def __init__(self) -> None:
        super().__init__(name="reconciler", daemon=True)
        self.stopping = threading.Event()
        self.leader = leases.Leader("reconciler")

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopping.wait(LOOK_SECONDS):
            if not self._leads():
                continue
            lost: list[Callable[[], None]] = [partial(reconcile, lane) for lane in runs.QUEUED_LANES]
            for look in (set_right, expire, *lost, abandon_inline):
                try:
                    look()
                except CarsBotError as error:
                    log.warning("reconciler: %s", error)
                except Exception:
                    log.exception("reconciler")

    def _leads(self) -> bool:
        try:
            return self.leader.leads()
        except CarsBotError as error:
            log.warning("reconciler: %s", error)
            return False


def set_right() -> None:
    """Bring back what a clock that was ahead has put into the future."""
    if moved := outbox.set_right():
        log.warning("reconciler: %d runs were accepted by a clock that was ahead; they are due from now on", len(moved))


def expire() -> None:
    """End what waited in its queue longer than the queue's TTL."""
    for run_id in outbox.expire_overdue(clock.now()):
        ledger.record("expired", run_id, "")


def reconcile(lane: str) -> None:
    """Publish again what an empty lane still owes."""
    if queues.waiting(lane) != 0:
        return
    again, given_up = outbox.publish_again(lane)
    for run_id in again:
        ledger.record("lost", run_id, lane, detail="its message; published again")
    for run_id in given_up:
        ledger.record("failed", run_id, lane, detail=outbox.LOST_TOO_OFTEN)
    if again:
        log.warning("reconciler: %d runs of the %s lane were lost on the way; publishing them again", len(again), lane)
        relay.wake(lane)


def abandon_inline() -> None:
    """End the inline runs of an API that stopped while it executed them: nobody will come back to them.

    Those that another API has in hand are left alone. A run that is accepted and not begun has no holder yet, so it is
    given as long as any job may take, unless this is the only API.
    """
    with database.statements() as connection:
        open_runs = [
            run for state in runs.OPEN for run in run_lists.page(connection, lane="inline", state=state, limit=1_000)
        ]
    patience = _LONGEST_JOB + attempts.GRACE_SECONDS
    for run in open_runs:
        orphaned = liveness.is_lost(run) if run.state == "IN_PROGRESS" else clock.now() > run.accepted_at + patience
        if orphaned and runs.end_open(run.id, "FAILED", ABANDONED):
            ledger.record("failed", run.id, "inline", detail=ABANDONED)


_reconciler: Reconciler | None = None
_heartbeat: liveness.Heartbeat | None = None


def start() -> None:
    """End what our own past life left, and start looking; once per process."""
    global _reconciler, _heartbeat
    _heartbeat, _reconciler = liveness.Heartbeat("api", "inline", forks=False), Reconciler()
    _abandon_unbegun()
    _heartbeat.start()
    _reconciler.start()


def _abandon_unbegun() -> None:
    """At the start of the only API, an inline run that was not begun is nobody's."""
    abandon_inline()
    if liveness.others("inline"):
        return
    with database.statements() as connection:
        unbegun = run_lists.page(connection, lane="inline", state="PENDING", limit=1_000)
    for run in unbegun:
        if runs.end_waiting(run.id, "inline", ABANDONED):
            ledger.record("failed", run.id, "inline", detail=ABANDONED)


def stop() -> None:
    """Ask the threads to end."""
    for thread in (_reconciler, _heartbeat):
        if thread is not None:
            thread.stopping.set()
            thread.join(timeout=2.0)
    if _reconciler is not None:
        with suppress(StorageUnavailable):
            _reconciler.leader.resign()
