"""The two ways to a broker: Celery and the hand-written publisher. No other module of `api/` publishes a run.

publish(lane, runs) -> the ids of the runs that a broker has confirmed
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from cars_bot import workflow
from cars_bot.context import Step
from cars_bot.runs import Run
from cars_bot.settings import settings

PUBLISH_SECONDS = 10.0  # a run without a confirm after this time is unknown; the relay publishes it again


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


def close() -> None:
    """Let go of the brokers' connections."""
    if _raw_publisher.cache_info().currsize:
        _raw_publisher().close()
