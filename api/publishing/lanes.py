"""Lanes: the two ways to a broker, Celery and the hand-written publisher. No other module of `api/` publishes a run.

publish(lane, runs) -> the ids of the runs that a broker has confirmed
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from redis import RedisError

from cars_bot import ledger, workflow
from cars_bot.context import Step
from cars_bot.runs import Run
from cars_bot.settings import settings

if TYPE_CHECKING:
    from raw_consumer.publisher import Publisher

PUBLISH_SECONDS = 10.0  # a run without a confirm after this time is unknown; the relay publishes it again


def publish(lane: str, batch: Sequence[Run]) -> list[str]:
    """Send `batch` to the lane's broker and return the ids of the confirmed runs. A broker that is away raises nothing.

    Raises:
        NotConfigured: the lane's queues belong to another kit.
        StorageUnavailable: the owner of the queues cannot be read.
    """
    return _through_celery(batch) if lane == "celery" else _raw_publisher().publish(batch, PUBLISH_SECONDS)


def _through_celery(batch: Sequence[Run]) -> list[str]:
    """Publish with one `apply_async` per run. Celery waits for each confirm."""
    from amqp.exceptions import MessageNacked
    from kombu.exceptions import OperationalError

    from celery_app import celery_app
    from celery_parts.broker import reserve
    from celery_tasks import signature  # not at the top: it takes a second, and the page must not wait

    # No caller needs a result here. Celery would subscribe to each one in Redis, and send nothing while Redis is away.
    celery_app.backend.on_task_call = _expect_no_result
    confirmed: list[str] = []
    trouble: Exception | None = None
    with celery_app.producer_pool.acquire(block=True, timeout=PUBLISH_SECONDS) as producer:
        unreachable = (OperationalError, *producer.connection.connection_errors, *producer.connection.channel_errors)
        try:
            reserve(producer.connection)
            for run in batch:
                first = Step(run.job, run.id, run.priority)
                signature(first, run.args, workflow.after(run)).apply_async(
                    producer=producer,
                    retry=False,  # the relay publishes again by itself, later
                    mandatory=True,  # an unroutable message comes back; the next connection declares its queue again
                )
                confirmed.append(run.id)
        except MessageNacked:  # the queue is full
            pass
        except unreachable:
            # The state is unknown: a confirm may still be under way. So this connection publishes nothing more.
            producer.connection.collect()
        except Exception as error:  # for example the queues belong to another kit
            producer.connection.collect()
            trouble = error  # not raised here: the pool would keep a producer without a connection for ever
    if trouble is not None and not confirmed:
        raise trouble
    return confirmed


def _expect_no_result(_producer: Any, _task_id: str) -> None:
    """Replace the step of Celery that subscribes to a result before it sends a task."""


@cache
def _raw_publisher() -> "Publisher":
    from raw_consumer.publisher import Publisher

    return Publisher(settings().rmq_url)


def broker_url(lane: str) -> str:
    """Return the address of the lane's broker: each lane may have its own."""
    return settings().celery_broker_url if lane == "celery" else settings().rmq_url


def versions() -> dict[str, str]:
    """Return the versions of the brokers, by their own report. A broker that is away is left out."""
    from celery_app import celery_app

    found = {}
    with suppress(Exception), celery_app.connection_for_write(connect_timeout=2.0) as connection:
        connection.connect()
        properties = getattr(connection.connection, "server_properties", {})
        found = {"rabbitmq": str(properties["version"])} if "version" in properties else {}
    with suppress(RedisError):
        found["redis"] = str(ledger.connect().info("server")["redis_version"])
    return found


def close() -> None:
    """Close the connection of the hand-written publisher, if there is one."""
    if _raw_publisher.cache_info().currsize:
        _raw_publisher().close()
