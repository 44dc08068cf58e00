"""The three ways out of the API: Celery, the hand-written publisher, or right here. Nothing else in `api/` knows.

publish(lane, runs) -> the ids a broker has confirmed
interrupt(run) -> whoever is at a revoked run is to stop
"""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any

from cars_bot import clients, database, execution, run_lists, runs, workflow
from cars_bot.context import Step
from cars_bot.outcome import Delivery, Retry, Wait
from cars_bot.runs import Run
from cars_bot.settings import settings

log = logging.getLogger(__name__)

_importing = Lock()
PUBLISH_SECONDS = 10.0  # what is not confirmed by then is unknown; the relay publishes it again
INLINE_SECONDS = 7_200.0  # nobody kills a job inside a request; one that lasts longer is taken for lost
INTERRUPT_SECONDS = 10.0  # a broadcast that did not get its turn by then is dropped


def publish(lane: str, batch: Sequence[Run]) -> list[str]:
    """Send `batch` to the lane's broker and return the ids of the runs it has confirmed; never raises for a broker.

    Raises:
        NotConfigured: the lane's queues are another kit's.
        StorageUnavailable: nobody can tell whose they are.
    """
    return PUBLISHERS[lane](batch)


def _through_celery(batch: Sequence[Run]) -> list[str]:
    """One `apply_async` a run: Celery confirms them one by one."""
    from amqp.exceptions import MessageNacked
    from kombu.exceptions import OperationalError

    from celery_app import claim
    from celery_tasks import celery_app, signature  # not at the top: it takes a second, and the page comes first

    # Nobody waits here for a result. Celery would subscribe to each in Redis, and send nothing while Redis is away.
    celery_app.backend.on_task_call = _expect_no_result
    confirmed: list[str] = []
    trouble: Exception | None = None
    with celery_app.producer_pool.acquire(block=True, timeout=PUBLISH_SECONDS) as producer:
        unreachable = (OperationalError, *producer.connection.connection_errors, *producer.connection.channel_errors)
        try:
            claim(producer.connection)
            for run in batch:
                first = Step(run.job, run.id, run.priority)
                signature(first, run.args, workflow.after(run)).apply_async(
                    producer=producer,
                    retry=False,  # the relay comes again by itself, and later
                    mandatory=True,  # what reaches no queue comes back, and the next connection declares it again
                )
                confirmed.append(run.id)
        except MessageNacked:  # its queue is full
            pass
        except unreachable:
            # Unknown, not failed: a confirm may still be under way, so nothing more goes out on this connection.
            producer.connection.collect()
        except Exception as error:  # the queues are another kit's, nobody can tell, or what nobody has thought of
            producer.connection.collect()
            trouble = error  # not raised in here: the pool would keep a producer without a connection, for ever
    if trouble is not None and not confirmed:
        raise trouble
    return confirmed


def _expect_no_result(_producer: Any, _task_id: str) -> None:
    """Stands in for what Celery does before it sends a task with a result."""


@cache
def _raw_publisher() -> Any:
    from raw_consumer.publisher import Publisher

    return Publisher(settings().rmq_url)


def _by_hand(batch: Sequence[Run]) -> list[str]:
    """All at once: the confirms come back while the next are still going out."""
    return list(_raw_publisher().publish(batch, timeout=PUBLISH_SECONDS))


PUBLISHERS: dict[str, Callable[[Sequence[Run]], list[str]]] = {"celery": _through_celery, "raw": _by_hand}


# ---------------------------------------------------------------- revoking


# feature: revoke, celery
def interrupt(run: Run) -> None:
    """Have the process killed that is at `run`, which the database calls REVOKED. Neither waits nor raises.

    The raw lane's workers look into the database by themselves. Celery's are told by a broadcast through the broker. If
    it gets lost, the run goes on, and its outcome and effects are discarded all the same.
    """
    if run.lane == "celery":
        _interrupter().put((run.id, monotonic() + INTERRUPT_SECONDS))


@cache
def _interrupter() -> SimpleQueue[tuple[str, float]]:
    """The runs whose broadcast is yet to come, and until when it makes sense; a thread sends them."""
    waiting: SimpleQueue[tuple[str, float]] = SimpleQueue()
    Thread(target=_broadcast, args=(waiting,), name="interrupter", daemon=True).start()
    return waiting


def _broadcast(waiting: SimpleQueue[tuple[str, float]]) -> None:
    while True:
        run_id, until = waiting.get()
        if monotonic() > until:  # the broker was away; who was revoked meanwhile is too many to be waited for
            continue
        try:
            from celery_app import celery_app

            with celery_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1)
                # SIGKILL: a job may ignore anything else, as it may on the other lane. The worker acknowledges the
                # message before it kills, and then replaces the child.
                celery_app.control.revoke(run_id, terminate=True, signal="SIGKILL", connection=connection)
        except Exception as error:  # whatever it is, the run is revoked
            log.warning("run %s is revoked, but no worker could be told: %s", run_id, error)


# end
# ---------------------------------------------------------------- inline


def run_inline(run_id: str) -> None:
    """Execute a run of the inline lane here and now, and the runs it asks for.

    There is one attempt: waiting for a retry would keep the request open, and nobody is left to come back to it later.
    """
    with _importing:
        clients.preload()  # requests come in threads, and an import that two threads race for may fail in both
    with database.statements() as connection:
        run = runs.find(connection, run_id)
    if run is None:
        return
    delivery = Delivery(run.id, run.job, run.args, "inline", steps=workflow.after(run), limit=INLINE_SECONDS)
    match execution.execute(delivery, worker="api"):
        case Retry(_, why) | Wait(_, why):
            execution.end_from_outside(run.id, "inline", f"{why}; the inline lane does not retry", "api")
    with database.statements() as connection:
        following = run_lists.page(connection, parent=run_id, state="PENDING", limit=100)
    for next_run in reversed(following):
        run_inline(next_run.id)


def close() -> None:
    """Let go of the brokers' connections."""
    if _raw_publisher.cache_info().currsize:
        _raw_publisher().close()
