"""What lab 2 builds, for the labs after it: consume with pika from any thread, without losing the connection.

    def publish_post(delivery: Delivery) -> None:
        post(delivery.arguments["text"])
        delivery.ack()

    consume("posts", publish_post)

The main thread serves the connection (heartbeats, deliveries); jobs run on threads beside it and hand their answers
over, because a pika connection belongs to one thread.
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
    """One message, as it was handed to us."""

    channel: BlockingChannel
    method: Basic.Deliver
    properties: BasicProperties
    body: bytes

    @property
    def id(self) -> str:
        """The message's own id; a copy has the same."""
        return str(self.properties.message_id)

    @property
    def job(self) -> str:
        """Which job is asked for."""
        return str(self.properties.type)

    @property
    def arguments(self) -> dict[str, Any]:
        """What it is to be done with."""
        arguments: dict[str, Any] = json.loads(self.body)
        return arguments

    @property
    def headers(self) -> dict[str, Any]:
        """What else stands on the message."""
        return dict(self.properties.headers or {})

    def ack(self) -> None:
        """The broker may forget it."""
        self._say(self.channel.basic_ack, self.method.delivery_tag)

    def reject(self, requeue: bool = False) -> None:
        """Give it back to the queue's head, or else to the queue's dead-letter exchange, if it has one."""
        self._say(self.channel.basic_reject, self.method.delivery_tag, requeue)

    def publish(self, exchange: str, routing_key: str, body: bytes, properties: BasicProperties) -> None:
        """Publish on the same channel, so that it is done before an `ack` that is called later."""
        self._say(self.channel.basic_publish, exchange, routing_key, body, properties)

    def _say(self, what: Callable[..., Any], *arguments: Any) -> None:
        self.channel.connection.add_callback_threadsafe(functools.partial(what, *arguments))


def connect() -> pika.BlockingConnection:
    """A connection to the broker named by RMQ_URL."""
    return pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))


def consume(
    queue: str, work: Callable[[Delivery], None], prefetch: int = 1, threads: int = 1, arguments: Any = None
) -> None:
    """Declare `queue` and give each of its messages to `work`, until SIGTERM.

    Args:
        prefetch: messages that the broker hands us ahead of our answers.
        threads: jobs at once.
        arguments: of the queue, such as {"x-max-priority": 5}.
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
            os._exit(1)  # as an error in pika's own callbacks ends a consumer: the broker has the message again

    with ThreadPoolExecutor(threads) as pool:
        channel.basic_consume(queue, lambda *delivery: pool.submit(run, Delivery(*delivery)))
        channel.start_consuming()
