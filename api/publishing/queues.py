"""Waiting messages: the brokers count them for each queue (passive declare on RabbitMQ, LLEN on Redis).

The management API would be easier to use, but its numbers come late and show stale zeros.
"""

import threading
from typing import Any

import pika
import pika.exceptions
import redis

from api.publishing import lanes
from cars_bot.boundary import redis_client
from cars_bot.catalogue import QUEUES
from cars_bot.runs import QUEUED_LANES
from cars_bot.settings import REDIS_PRIORITIES, settings
from raw_consumer.setup.parameters import parameters

SECONDS_FOR_THE_BROKER = 2.0
# On Redis a queue has one list per priority. kombu adds one of these endings to the queue's name.
REDIS_LISTS = ["", *(f"\x06\x16{priority}" for priority in REDIS_PRIORITIES[1:])]
_locks = {lane: threading.Lock() for lane in QUEUED_LANES}
_connections: dict[str, Any] = {}  # by lane: each lane may have its own broker


def depths() -> dict[str, dict[str, int | None]]:
    """Return the ready messages per lane and queue, or None where the broker does not answer."""
    return {lane: {name: _ready_messages(lane, name) for name in QUEUES} for lane in QUEUED_LANES}


def waiting(lane: str) -> int | None:
    """Return the ready messages in all queues of `lane`, or None if the broker does not answer for one of them.

    Unacknowledged messages do not count, because on Redis a dead worker may still hold them.
    """
    asked = [_ready_messages(lane, name) for name in QUEUES]
    return None if None in asked else sum(filter(None, asked))


def _ready_messages(lane: str, queue: str) -> int | None:
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
    with _locks[lane]:  # one connection is kept: to open one costs the broker more than the question
        try:
            if lane not in _connections or not _connections[lane].is_open:
                _connections[lane] = _connect(lane)
            channel = _connections[lane].channel()
            try:
                return int(channel.queue_declare(queue, passive=True).method.message_count)
            except pika.exceptions.ChannelClosedByBroker:  # no worker has declared the queue yet
                return 0
            finally:
                if channel.is_open:
                    channel.close()
        except (pika.exceptions.AMQPError, OSError):
            _connections.pop(lane, None)
            return None


def _connect(lane: str) -> Any:
    chosen = parameters(lanes.broker_url(lane), "depths")
    chosen.socket_timeout = chosen.stack_timeout = SECONDS_FOR_THE_BROKER
    chosen.blocked_connection_timeout = SECONDS_FOR_THE_BROKER
    chosen.heartbeat = 20  # else a lost answer keeps the caller waiting for ever
    return pika.BlockingConnection(chosen)
