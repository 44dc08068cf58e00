"""Firehose: RabbitMQ's own report of every message, as events in the evidence.

A tracing vhost copies each message that is published or delivered into the exchange amq.rabbitmq.trace. So an
experiment knows when a message was handed out, and if it was for the second time. The program under test need not
report it.
"""

import threading
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties

CELERYS_MONITORS = "celeryev"  # an exchange: each Celery worker sends a sign of life to it every two seconds
PAUSE = 0.05  # seconds between two looks whether `stop` was called


class Firehose:
    """Listens on a thread of its own, from `start` to `stop`.

    Args:
        note: gets each event: "delivered" (id, queue, again) and "published" (id, exchange, key).
    """

    def __init__(self, url: str, note: Callable[..., None]) -> None:
        self._url, self._note = url, note
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, name="firehose", daemon=True)

    def start(self) -> None:
        """Begin to listen; return when no later message can be missed."""
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("RabbitMQ's firehose did not open within 10 s; is the broker up? Run it again")

    def stop(self) -> None:
        """End the thread and close the connection."""
        self._over.set()
        self._thread.join(10)

    def _listen(self) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        try:
            channel = connection.channel()
            queue = str(channel.queue_declare("", exclusive=True).method.queue)
            channel.queue_bind(queue, "amq.rabbitmq.trace", "#")
            channel.basic_consume(queue, self._heard, auto_ack=True)
            self._ready.set()
            while not self._over.is_set():
                connection.process_data_events(time_limit=PAUSE)
        finally:
            connection.close()

    def _heard(self, _channel: BlockingChannel, method: Basic.Deliver, told: BasicProperties, _body: bytes) -> None:
        kind, _, name = str(method.routing_key).partition(".")
        if name == CELERYS_MONITORS:
            return
        headers: dict[str, Any] = dict(told.headers or {})
        message: dict[str, Any] = headers.get("properties", {})
        message_id = message.get("message_id") or (message.get("headers") or {}).get("id")
        if kind == "deliver":
            self._note("delivered", id=message_id, queue=name, again=bool(headers.get("redelivered")))
        else:
            self._note("published", id=message_id, exchange=name, key=(headers.get("routing_keys") or [""])[0])
