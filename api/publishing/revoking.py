"""Revoking: the process that executes a revoked run is killed.

interrupt(run) -> a broadcast to Celery's workers; the raw lane's workers read the database by themselves
"""

import logging
from functools import cache
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from cars_bot.runs import Run

log = logging.getLogger(__name__)

INTERRUPT_SECONDS = 10.0  # an older broadcast is dropped


# feature: revoke, celery
def interrupt(run: Run) -> None:
    """Kill the process that executes `run`. The run is REVOKED in the database already. Neither waits nor raises.

    The raw lane's workers read the database by themselves. Celery's workers get a broadcast through the broker. If it
    gets lost, the run goes on, and its outcome and effects are discarded all the same.
    """
    if run.lane == "celery":
        _interrupter().put((run.id, monotonic() + INTERRUPT_SECONDS))


@cache
def _interrupter() -> SimpleQueue[tuple[str, float]]:
    """Return the queue of broadcasts, each with its time limit, and start the thread that sends them."""
    waiting: SimpleQueue[tuple[str, float]] = SimpleQueue()
    Thread(target=_broadcast, args=(waiting,), name="interrupter", daemon=True).start()
    return waiting


def _broadcast(waiting: SimpleQueue[tuple[str, float]]) -> None:
    while True:
        run_id, until = waiting.get()
        if monotonic() > until:  # too many revokes piled up while the broker was away; drop the old ones
            continue
        try:
            from celery_app import celery_app

            with celery_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1)
                # SIGKILL, because a job may ignore any other signal (the same on the raw lane). The worker
                # acknowledges the message, kills the child, and starts a new child.
                celery_app.control.revoke(run_id, terminate=True, signal="SIGKILL", connection=connection)
        except Exception as error:  # the run stays revoked after any error
            log.warning("run %s is revoked, but no worker could be told: %s", run_id, error)


# end
