"""Reconciler: a thread that puts published but lost runs back into the outbox.

A broker can confirm a message and never deliver it: its disk was lost, a queue was deleted, or Redis dropped the
message on the way to a worker. A worker can also die with its message.

The reconciler acts only if all queues of the lane are empty, because a run in a long queue is not lost. A run that a
worker holds or executes is not lost either, however long that takes. The pause before each further publish doubles,
and after some of them the run ends FAILED (`outbox.publish_again`).

The inline lane has no broker that could deliver a run again. So the open inline runs of a stopped API end FAILED.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from api.publishing import queues, relay
from cars_bot import database, ledger, outbox, runs
from cars_bot.catalogue import JOBS
from cars_bot.database import run_lists
from cars_bot.errors import CarsBotError, StorageUnavailable
from cars_bot.processes import clock, heartbeat, leases, liveness
from cars_bot.run_store import begin_attempt

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
ABANDONED = "the API stopped while the run was open; the inline lane does not resume it, so retry it"
_LONGEST_JOB = max(job.policy.hard_time_limit for job in JOBS.values())


class Reconciler(threading.Thread):
    """Looks for lost runs every 5 s."""

    def __init__(self) -> None:
        super().__init__(name="reconciler", daemon=True)
        self.stopping = threading.Event()
        self.leader = leases.Leader("reconciler")

    def run(self) -> None:
        """Look for lost runs until stopped. Only the API that leads does so."""
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
    """Correct the times of runs that were accepted while the clock was ahead."""
    if moved := outbox.set_right():
        log.warning("reconciler: %d runs were accepted by a clock that was ahead; they are due from now on", len(moved))


def expire() -> None:
    """End the runs that waited longer than the TTL of their queue."""
    for run_id in outbox.expire_overdue(clock.now()):
        ledger.record("expired", run_id, "")


def reconcile(lane: str) -> None:
    """Publish the lost runs of `lane` again, if its queues are empty."""
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
    """End the inline runs of an API that stopped while it executed them. No process will resume them.

    The runs of another living API stay. An accepted run that has not begun has no holder yet. It gets as much time as
    the longest job may take, unless this is the only API.
    """
    with database.statements() as connection:
        open_runs = [
            run for state in runs.OPEN for run in run_lists.page(connection, lane="inline", state=state, limit=1_000)
        ]
    patience = _LONGEST_JOB + begin_attempt.GRACE_SECONDS
    for run in open_runs:
        orphaned = liveness.is_lost(run) if run.state == "IN_PROGRESS" else clock.now() > run.accepted_at + patience
        if orphaned and runs.end_open(run.id, "FAILED", ABANDONED):
            ledger.record("failed", run.id, "inline", detail=ABANDONED)


_reconciler: Reconciler | None = None
_heartbeat: heartbeat.Heartbeat | None = None


def start() -> None:
    """End the inline runs that this API left open before its restart, and start the threads; once per process."""
    global _reconciler, _heartbeat
    _heartbeat, _reconciler = heartbeat.Heartbeat("api", "inline", forks=False), Reconciler()
    _abandon_unbegun()
    _heartbeat.start()
    _reconciler.start()


def _abandon_unbegun() -> None:
    """End the inline runs that have not begun, if this is the only API. No process can execute them."""
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
