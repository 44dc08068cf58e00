"""How many messages wait in each lane's queues: asked of the brokers by a passive declare (or LLEN on Redis).

The management API would be easier to ask, but its numbers lag and show stale zeros.
"""

import threading
from typing import Any

import pika
import pika.exceptions
import redis

from cars_bot import redis_client
from cars_bot.catalogue import QUEUES
from cars_bot.runs import QUEUED_LANES
from cars_bot.settings import REDIS_PRIORITIES, settings
from raw_consumer.parameters import parameters

SECONDS_FOR_THE_BROKER = 2.0
# On Redis a queue is a list for each priority, and these are the ends of kombu's names for them.
REDIS_LISTS = ["", *(f"\x06\x16{priority}" for priority in REDIS_PRIORITIES[1:])]
_locks = {lane: threading.Lock() for lane in QUEUED_LANES}
_connections: dict[str, Any] = {}  # by lane: each may have a broker of its own


def depths() -> dict[str, dict[str, int | None]]:
    """Messages ready per lane and queue; None where the broker does not answer."""
    return {lane: {name: _ask(lane, name) for name in QUEUES} for lane in QUEUED_LANES}


def waiting(lane: str) -> int | None:
    """Messages ready in all queues of `lane`; None if any of them cannot be asked.

    What a worker holds unacknowledged does not count: on Redis it may be held by one that has died.
    """
    asked = [_ask(lane, name) for name in QUEUES]
    return None if None in asked else sum(filter(None, asked))


def _ask(lane: str, queue: str) -> int | None:
    if lane == "celery" and settings().celery_over_redis:
        return _redis_length(queue)
    return _rabbitmq_ready(lane, f"raw.{queue}" if lane == "raw" else queue)


def _redis_length(queue: str) -> int | None:
    client = redis_client.connect(settings().celery_broker_url, 1.0)
    try:
        return sum(int(client.llen(queue + step)) for step in REDIS_LISTS)
    except redis.RedisError:
        return None
    finally:
        client.close()


def _rabbitmq_ready(lane: str, queue: str) -> int | None:
    with _locks[lane]:  # one connection, kept: a new one for each question would cost the broker more than the question
        try:
            if lane not in _connections or not _connections[lane].is_open:
                _connections[lane] = _connect(lane)
            channel = _connections[lane].channel()
            try:
                return int(channel.queue_declare(queue, passive=True).method.message_count)
            except pika.exceptions.ChannelClosedByBroker:  # there is no such queue yet
                return 0
            finally:
                if channel.is_open:
                    channel.close()
        except (pika.exceptions.AMQPError, OSError):
            _connections.pop(lane, None)
            return None


def _connect(lane: str) -> Any:
    url = settings().celery_broker_url if lane == "celery" else settings().rmq_url
    chosen = parameters(url, "depths")
    chosen.socket_timeout = chosen.stack_timeout = SECONDS_FOR_THE_BROKER
    chosen.blocked_connection_timeout = SECONDS_FOR_THE_BROKER
    chosen.heartbeat = 20  # without it an answer that the network has lost is waited for for ever
    return pika.BlockingConnection(chosen)
