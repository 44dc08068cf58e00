"""Wire tap: while a small comparison runs, the broker sends a copy of each message to a queue of the API.

That queue is bound to the exchanges of the lane, so the broker makes the copies. Publishers and workers notice nothing,
and no code of theirs is changed. With the last connection the queue is gone.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

import pika
import pika.exceptions

from api.publishing import lanes
from cars_bot.catalogue import QUEUES
from cars_bot.comparisons.messages import Message, without_secrets
from cars_bot.comparisons.request import ComparisonRequest
from cars_bot.processes import clock
from cars_bot.settings import settings
from raw_consumer import topology
from raw_consumer.setup.parameters import parameters

log = logging.getLogger(__name__)

QUEUE = "wire_tap"  # the queue's name begins so; a broker with permissions lets the API make such queues
MOST_TAPPED = 200  # on each lane; for a larger comparison, the copies would cost the broker much
READY_SECONDS = 2.0  # the comparison waits so long for a broker that does not answer
PAUSE_SECONDS = 0.5  # after a lost connection
TURN_SECONDS = 0.1  # the longest time until a tap notices that it shall end


class WireTap(threading.Thread):
    """Collects the messages of one lane.

    Attributes:
        found: the messages so far, also those of runs outside the comparison.
        missed: whether messages may be missing, because the tap had no connection for a while.
    """

    def __init__(self, lane: str) -> None:
        super().__init__(name=f"wire-tap-{lane}", daemon=True)
        self.lane = lane
        self.found: list[Message] = []
        self.missed = True
        self.tried = threading.Event()  # it listens, or its broker is away
        self.stopping = threading.Event()

    def run(self) -> None:
        """See the class."""
        while not self.stopping.is_set():
            try:
                self._listen()
            except (pika.exceptions.AMQPError, OSError) as error:
                self.missed = True
                self.tried.set()
                log.info("wire tap of %s: %s", self.lane, error or type(error).__name__)
                self.stopping.wait(PAUSE_SECONDS)

    def _listen(self) -> None:
        with pika.BlockingConnection(parameters(lanes.broker_url(self.lane), self.name)) as connection:
            channel = connection.channel()
            queue = f"{QUEUE}.{self.lane}.{uuid.uuid4().hex}"
            channel.queue_declare(queue, exclusive=True)
            for exchange, key in _bindings(self.lane):
                channel.queue_bind(queue, exchange, key)
            channel.basic_consume(queue, self._take, auto_ack=True)
            self.missed = self.tried.is_set()
            self.tried.set()
            while not self.stopping.is_set():
                connection.process_data_events(TURN_SECONDS)
            connection.process_data_events(0)

    def _take(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        fields = {name: value for name, value in vars(properties).items() if value is not None}
        headers = fields.pop("headers", {})
        run = headers.get("id") if self.lane == "celery" else properties.message_id
        self.found.append(
            Message(
                clock.now(), str(run), self.lane, method.exchange, method.routing_key,
                head_bytes=sum(map(len, properties.encode())), body_bytes=len(body),
                **without_secrets(fields, headers, body),
            )
        )  # fmt: skip


def _bindings(lane: str) -> Iterable[tuple[str, str]]:
    """Return the exchange and the key of each way to the lane's queues."""
    if lane == "celery":
        from celery_parts import broker  # not at the top: it takes a second

        return [(queue.exchange.name, queue.routing_key) for queue in broker.queues()]
    return [(topology.JOBS, name) for name in QUEUES] + [(topology.DELIVERY, "#")]


def start(request: ComparisonRequest) -> list[WireTap]:
    """Start a tap for each lane of the comparison that has RabbitMQ, and wait until they are ready."""
    if request.count > MOST_TAPPED:
        return []
    over_redis = {"celery"} if settings().celery_over_redis else set()
    taps = [WireTap(lane) for lane in request.lanes if lane not in over_redis | {"inline"}]
    for tap in taps:
        tap.start()
    give_up = time.monotonic() + READY_SECONDS
    for tap in taps:
        if not tap.tried.wait(max(0.0, give_up - time.monotonic())):
            tap.tried.set()  # whatever it hears from now on is not all
    return taps


def stop(taps: Iterable[WireTap]) -> None:
    """End the taps and close their connections."""
    for tap in taps:
        tap.stopping.set()
    for tap in taps:
        tap.join(READY_SECONDS)
