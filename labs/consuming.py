"""Consumer with pika, as lab 2 builds it, for the later labs. It keeps its connection while jobs run.

    def publish_post(delivery: Delivery) -> None:
        post(delivery.arguments["text"])
        delivery.ack()

    consume("posts", publish_post)

The main thread serves the connection: heartbeats and deliveries. Jobs run on other threads. They hand their answers
to the main thread, because a pika connection belongs to one thread.
"""

import functools
import json
import os
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties


@dataclass(frozen=True)
class Delivery:
    """One delivery of a message."""

    channel: BlockingChannel
    method: Basic.Deliver
    properties: BasicProperties
    body: bytes

    @property
    def id(self) -> str:
        """The message's id. A copy has the same one."""
        return str(self.properties.message_id)

    @property
    def job(self) -> str:
        """The name of the requested job."""
        return str(self.properties.type)

    @property
    def arguments(self) -> dict[str, Any]:
        """The job's arguments."""
        arguments: dict[str, Any] = json.loads(self.body)
        return arguments

    @property
    def headers(self) -> dict[str, Any]:
        """The message's headers."""
        return dict(self.properties.headers or {})

    def ack(self) -> None:
        """Acknowledge the message: the broker may forget it."""
        self._say(self.channel.basic_ack, self.method.delivery_tag)

    def reject(self, requeue: bool = False) -> None:
        """Reject the message. Requeue it at the queue's head, or else send it to the dead-letter exchange, if any."""
        self._say(self.channel.basic_reject, self.method.delivery_tag, requeue)

    def publish(self, exchange: str, routing_key: str, body: bytes, properties: BasicProperties) -> None:
        """Publish on the same channel. The broker gets this message before a later `ack`."""
        self._say(self.channel.basic_publish, exchange, routing_key, body, properties)

    def _say(self, what: Callable[..., Any], *arguments: Any) -> None:
        self.channel.connection.add_callback_threadsafe(functools.partial(what, *arguments))


def connect() -> pika.BlockingConnection:
    """Connect to the broker that RMQ_URL names."""
    return pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))


def consume(
    queue: str, work: Callable[[Delivery], None], prefetch: int = 1, threads: int = 1, arguments: Any = None
) -> None:
    """Declare `queue`, and give each of its messages to `work` until SIGTERM.

    Args:
        prefetch: the largest number of unacknowledged messages that the broker hands us.
        threads: the number of jobs at the same time.
        arguments: the queue's arguments, such as {"x-max-priority": 5}.
    """
    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue, durable=True, arguments=arguments)
    channel.basic_qos(prefetch_count=prefetch)
    signal.signal(signal.SIGTERM, lambda *_: connection.add_callback_threadsafe(channel.stop_consuming))

    def run(delivery: Delivery) -> None:
        try:
            work(delivery)
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # as an error in a pika callback would: the broker gets the message back

    with ThreadPoolExecutor(threads) as pool:
        channel.basic_consume(queue, lambda *delivery: pool.submit(run, Delivery(*delivery)))
        channel.start_consuming()
