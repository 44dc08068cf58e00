"""A child's intake: the connection's thread receives messages, and the main thread takes them one at a time.

One message in hand keeps strict priorities and leaves the others to idle children. It costs a round trip for each job:
about 500 µs of CPU per job; with 100 messages read ahead, about 100 µs. So a child reads ahead only while its jobs are
short. When a job turns out long, the child stops consuming and gives back all messages that it has not begun.

RabbitMQ counts the prefetch per consumer, so "one" means one from each queue. After a long job, the child consumes its
queue last: the queues take turns.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from cars_bot.context import Delivery
from cars_bot.processes import clock
from cars_bot.processes.pace import LONG, SHORT, is_quick
from raw_consumer import topology
from raw_consumer.connection import ConnectionKeeper
from raw_consumer.envelope import Received, UndecodableMessage

log = logging.getLogger(__name__)

READ_AHEAD = 100  # messages per queue, while jobs are short
ACKS_AT_ONCE = 32  # messages in one acknowledgement, at most, while more wait to be taken


def read_ahead(pace: float, now: int) -> int:
    """The messages to hold per queue, when jobs take `pace` seconds and `now` are held."""
    return READ_AHEAD if is_quick(pace, now > 1, SHORT) else 1


class Intake:
    """Consumes `queues` for one child. The main thread calls the methods without an underscore."""

    def __init__(self, rmq_url: str, queues: Sequence[str], name: str) -> None:
        self._inbox: SimpleQueue[Received | None] = SimpleQueue()  # None: the end
        self._next: Received | None = None  # a message that `following` has read before its turn
        self._stopping = False
        self._pace = 2 * SHORT  # seconds between two takes, as a moving average
        self._busy_since: float | None = None
        self._served = ""  # the queue of the message in hand
        self._settled = (0, 0)  # a generation, and the last delivery tag that is settled
        self._unacknowledged = 0  # settled messages that are not acknowledged yet
        # Only the connection's thread touches these:
        self._acknowledged = (0, 0)  # the last acknowledgement, likewise
        self._queues = list(queues)
        self._prefetch = 0  # 0: no consumer
        self._ending = False
        self._connection = ConnectionKeeper(rmq_url, name, self._on_open)
        self._connection.call(self._keep_watch)
        self._connection.start()

    def take(self) -> Received | None:
        """Wait for the next message and return it. None: no more will come."""
        if self._busy_since is not None:
            self._pace += 0.1 * (time.monotonic() - self._busy_since - self._pace)
            self._busy_since = None
            if read_ahead(self._pace, self._prefetch) != self._prefetch:
                self._connection.call(self._adapt)
        if received := self._next or self._receive(wait=True):  # first: its attempt may be taken already
            self._next, self._served, self._busy_since = None, received.queue, time.monotonic()
        return received

    def following(self) -> Delivery | None:
        """The delivery that `take` returns next, if it is here and was not redelivered."""
        with suppress(Empty, UndecodableMessage):  # no waiting: another thread may be giving the messages back
            self._next = self._next or self._receive(wait=False)
            return self._next.delivery() if self._next and not self._next.method.redelivered else None
        return None

    def _receive(self, wait: bool) -> Received | None:
        while not self._stopping:
            if (received := self._inbox.get(wait)) is None:
                self._inbox.put(None)  # for the next call
                return None
            if self.is_current(received):
                return received
        return None

    def is_current(self, received: Received) -> bool:
        """True while its connection stands. Otherwise the broker has the message again and delivers it again."""
        return received.generation == self._connection.generation

    # feature: ack after the outcome is durable
    def acknowledge(self, received: Received) -> None:
        """Acknowledge this message and all before it, `LONG` later at most: one acknowledgement for several costs less.

        A child that dies before leaves copies of runs that have ended.
        """
        self._settled = received.generation, received.method.delivery_tag
        self._unacknowledged += 1
        if self._unacknowledged >= ACKS_AT_ONCE or (self._next is None and self._inbox.empty()):
            self._unacknowledged = 0
            self._connection.call(self._send_ack)

    def _send_ack(self) -> None:
        settled, channel = self._settled, self._connection.channel
        if settled != self._acknowledged and channel is not None and channel.is_open:
            self._acknowledged = generation, tag = settled
            if generation == self._connection.generation:
                channel.basic_ack(tag, multiple=True)

    # end

    def finish(self, at_once: bool) -> None:
        """Receive no more messages. Those that are here are still taken, or, with `at_once`, given back."""
        self._stopping = self._stopping or at_once
        self._connection.call(self._finish)

    def close(self) -> None:
        """Send the last acknowledgement and close the connection."""
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
        """Connect again: the broker ended a consumer because its queue was deleted; a new connection declares it."""
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
        """Consume with the prefetch that fits the job in hand and the jobs before it."""
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
            channel.basic_cancel(consumer_tag, lambda _frame: None)  # pika gives back the messages on their way

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
