"""A child's intake: messages come in on the connection's thread and are taken by the main thread, one at a time.

How many a child may hold is a trade. One and no more keeps strict priorities and leaves the rest to idle children, but
costs a round trip a job: 500 µs of CPU, where 100 read ahead cost 100. So a child reads ahead only while its jobs are
short; when one turns out long, it stops consuming and gives back what it has not begun: nothing waits behind that job.

RabbitMQ counts the prefetch per consumer, and there is a consumer per queue: "one" is one of each queue. Whose turn
came last is consumed last after a long job, so the queues are served in turns.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from cars_bot.outcome import Delivery
from cars_bot.processes import clock
from cars_bot.processes.pace import LONG, SHORT, is_quick
from raw_consumer import topology
from raw_consumer.connection import ConnectionKeeper
from raw_consumer.envelope import Received, UndecodableMessage

log = logging.getLogger(__name__)

READ_AHEAD = 100  # messages per queue, while jobs are short
ACKS_AT_ONCE = 32  # messages at most that are done with before the broker hears of it, while more wait to be taken


def read_ahead(pace: float, now: int) -> int:
    """How many messages per queue to hold when jobs take `pace` seconds and `now` are held."""
    return READ_AHEAD if is_quick(pace, now > 1, SHORT) else 1


class Intake:
    """Consumes `queues` for one child. Methods without an underscore are for its main thread."""

    def __init__(self, rmq_url: str, queues: Sequence[str], name: str) -> None:
        self._inbox: SimpleQueue[Received | None] = SimpleQueue()  # None: nothing more will come
        self._next: Received | None = None  # a message that was looked at before its turn
        self._stopping = False
        self._pace = 2 * SHORT  # seconds between two takes, as a moving average
        self._busy_since: float | None = None
        self._served = ""  # the queue of the message in hand
        self._settled = (0, 0)  # a generation, and the delivery tag up to which everything is settled
        self._untold = 0  # messages of these that the broker has not heard of
        # Only the connection's thread touches these:
        self._told = (0, 0)  # how far the broker has heard
        self._queues = list(queues)
        self._prefetch = 0  # 0: we do not consume
        self._ending = False
        self._connection = ConnectionKeeper(rmq_url, name, self._on_open)
        self._connection.call(self._keep_watch)
        self._connection.start()

    def take(self) -> Received | None:
        """Wait for the next message; the one before is done with. None: there will be no more."""
        if self._busy_since is not None:
            self._pace += 0.1 * (time.monotonic() - self._busy_since - self._pace)
            self._busy_since = None
            if read_ahead(self._pace, self._prefetch) != self._prefetch:
                self._connection.call(self._adapt)
        if received := self._next or self._receive(wait=True):  # whatever has happened: its attempt may be taken by now
            self._next, self._served, self._busy_since = None, received.queue, time.monotonic()
        return received

    def following(self) -> Delivery | None:
        """What the message says that `take` returns next, if it is here and nothing about it needs a closer look."""
        with suppress(Empty, UndecodableMessage):  # do not wait: all that is here may just be given back
            self._next = self._next or self._receive(wait=False)
            return self._next.delivery() if self._next and not self._next.method.redelivered else None
        return None

    def _receive(self, wait: bool) -> Received | None:
        while not self._stopping:
            if (received := self._inbox.get(wait)) is None:
                self._inbox.put(None)  # that remains so
                return None
            if self.is_current(received):
                return received
        return None

    def is_current(self, received: Received) -> bool:
        """Whether its connection still stands. If not, the broker has put the message back and hands it out again."""
        return received.generation == self._connection.generation

    # feature: ack after the outcome is durable
    def acknowledge(self, received: Received) -> None:
        """Let the broker forget this message, and all before it: they are settled in the order in which they came.

        One acknowledgement for several costs less. It is late by `LONG` at most: a child that dies meanwhile leaves
        copies of runs that have ended.
        """
        self._settled = received.generation, received.method.delivery_tag
        self._untold += 1
        if self._untold >= ACKS_AT_ONCE or (self._next is None and self._inbox.empty()):
            self._untold = 0
            self._connection.call(self._send_ack)

    def _send_ack(self) -> None:
        settled, channel = self._settled, self._connection.channel
        if settled != self._told and channel is not None and channel.is_open:
            self._told = generation, tag = settled
            if generation == self._connection.generation:
                channel.basic_ack(tag, multiple=True)

    # end

    def finish(self, at_once: bool) -> None:
        """Take in nothing more. What is here is still to be taken, unless `at_once`: then it is given back."""
        self._stopping = self._stopping or at_once
        self._connection.call(self._finish)

    def close(self) -> None:
        """Send what is to be sent and let go of the connection."""
        self._connection.call(self._send_ack)
        self._connection.close()

    # ------------------------------------------------ from here on: the connection's thread

    def _on_open(self, channel: Channel) -> None:
        topology.declare(channel)
        channel.add_on_cancel_callback(self._on_cancelled)
        self._prefetch = 0
        self._adapt()
        log.info("ready: consuming %s", ", ".join(self._queues))

    def _on_cancelled(self, _frame: object) -> None:
        """The broker has ended a consumer: its queue was deleted. A new connection declares it again."""
        self._connection.fail(ConnectionAbortedError("the broker has ended a consumer; was its queue deleted?"))

    def _on_message(
        self, queue: str, _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        self._inbox.put(Received(self._connection.generation, queue, method, properties, body, clock.now()))

    # feature: prefetch
    def _keep_watch(self) -> None:
        self._connection.loop.call_later(LONG, self._keep_watch)
        self._send_ack()
        self._adapt()

    def _adapt(self) -> None:
        """Consume with the prefetch that suits the job in hand and those before it."""
        channel, busy = self._connection.channel, self._busy_since
        if channel is None or not channel.is_open or self._ending:
            return
        caught = busy is not None and time.monotonic() > busy + LONG
        wanted = 0 if caught else read_ahead(self._pace, self._prefetch)
        if wanted == self._prefetch:
            return
        self._stop_consuming(channel)
        if wanted < self._prefetch:
            self._give_back(channel)
        if wanted:
            channel.basic_qos(prefetch_count=wanted)
            self._queues.sort(key=lambda queue: queue == self._served)
            for queue in self._queues:
                channel.basic_consume(topology.queue_name(queue), partial(self._on_message, queue))
        self._prefetch = wanted

    def _stop_consuming(self, channel: Channel) -> None:
        for consumer_tag in channel.consumer_tags:
            channel.basic_cancel(consumer_tag, lambda _frame: None)  # pika gives back what is still on its way

    def _give_back(self, channel: Channel) -> None:
        with suppress(Empty):
            while (received := self._inbox.get_nowait()) is not None:
                if self.is_current(received):
                    channel.basic_nack(received.method.delivery_tag, requeue=True)

    # end

    def _finish(self) -> None:
        self._ending = True
        channel = self._connection.channel
        if channel is not None and channel.is_open:
            self._stop_consuming(channel)
            if self._stopping:
                self._give_back(channel)
        self._inbox.put(None)
