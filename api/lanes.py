"""The three ways out of the API: Celery, the hand-written publisher, or right here. Nothing else in `api/` knows.

publish(lane, runs) -> the ids a broker has confirmed
"""

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from time import time
from typing import Any

from cars_bot import clients, database, execution, runs
from cars_bot.runs import Run
from cars_bot.settings import settings

_importing = Lock()
PUBLISH_SECONDS = 10.0  # what is not confirmed by then is unknown; the relay publishes it again


def publish(lane: str, batch: Sequence[Run]) -> list[str]:
    """Send `batch` to the lane's broker and return the ids of the runs it has confirmed; never raises for a broker."""
    return PUBLISHERS[lane](batch)


def _through_celery(batch: Sequence[Run]) -> list[str]:
    """One `apply_async` a run: Celery confirms them one by one."""
    from amqp.exceptions import MessageNacked
    from kombu.exceptions import OperationalError

    import celery_tasks  # not at the top: it takes a second, and the page shall be there sooner
    from celery_app import celery_app

    confirmed = []
    with celery_app.producer_pool.acquire(block=True, timeout=PUBLISH_SECONDS) as producer:
        for run in batch:
            countdown = run.due_at - time()
            try:
                celery_tasks.celery_app.send_task(
                    run.job,
                    kwargs=run.args,
                    task_id=run.id,
                    priority=_celery_priority(run),
                    countdown=countdown if countdown > 0 else None,
                    producer=producer,
                    retry=False,  # the relay comes again by itself, and later
                    mandatory=True,  # what reaches no queue comes back, and the next connection declares it again
                )
            except MessageNacked:  # its queue is full
                break
            except (OperationalError, *producer.connection.connection_errors, *producer.connection.channel_errors):
                # Unknown, not failed: a confirm may still be under way, so nothing more goes out on this connection.
                producer.connection.collect()
                break
            confirmed.append(run.id)
    return confirmed


def _celery_priority(run: Run) -> int:
    """RabbitMQ takes the highest first, Celery on Redis the lowest."""
    if settings().celery_over_redis:
        from cars_bot.catalogue import QUEUES

        return QUEUES[run.queue].max_priority - int(run.priority)
    return int(run.priority)


@cache
def _raw_publisher() -> Any:
    from raw_consumer.publisher import Publisher

    return Publisher(settings().rmq_url)


def _by_hand(batch: Sequence[Run]) -> list[str]:
    """All at once: the confirms come back while the next are still going out."""
    return list(_raw_publisher().publish(batch, timeout=PUBLISH_SECONDS))


PUBLISHERS: dict[str, Callable[[Sequence[Run]], list[str]]] = {"celery": _through_celery, "raw": _by_hand}


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
    outcome = execution.execute(execution.Delivery(run.id, run.job, run.args, "inline"), worker="api")
    if isinstance(outcome, execution.Retry):
        execution.end_from_outside(run.id, "inline", f"{outcome.error}; the inline lane does not retry", "api")
    with database.statements() as connection:
        following = runs.page(connection, parent=run_id, state="PENDING", limit=100)
    for next_run in reversed(following):
        run_inline(next_run.id)


def close() -> None:
    """Let go of the brokers' connections."""
    if _raw_publisher.cache_info().currsize:
        _raw_publisher().close()
