"""One child's way of working: receive a message, run it, settle it. Follow `work()` from the top.

Two threads share the load. The connection's thread (I/O) answers heartbeats whatever the job does, receives messages into
`inbox` and sends acknowledgements. The main thread runs the jobs, one at a time, because a soft time limit's signal can only
interrupt the main thread.

How many messages a child may hold is a trade. One and no more keeps strict priorities and leaves the rest to idle children, but
costs a round trip to the broker per job. So a child reads ahead only while its jobs are short, and one that is caught by
a long job stops consuming and gives back what it has not begun: nothing waits behind it, whatever the queue.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from cars_bot.catalogue import job_named
from cars_bot.crash import crash_point
from cars_bot.errors import TimeLimitExceeded
from cars_bot.execution import Failed, end_from_outside, execute
from raw_consumer import envelope, logs, topology
from raw_consumer.connection import ConnectionKeeper
from raw_consumer.pool import Slot
from raw_consumer.publisher import Publisher
from raw_consumer.settlement import DeadLetter, Decision, RetryAfter, settle

log = logging.getLogger(__name__)

READ_AHEAD = 16  # messages per queue, while jobs are short
SHORT = 0.005  # seconds a job may take on average to count as short
LONG = 0.05  # seconds after which a child counts as caught by a long job
FORWARD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and the generation of the connection to which its delivery tag belongs."""

    generation: int
    queue: str
    method: Basic.Deliver
    properties: BasicProperties
    body: bytes


class Consumer:
    """Consumes queues until told to stop, or until it has done `max_jobs` jobs (0: no such end)."""

    def __init__(self, rmq_url: str, queues: Sequence[str], name: str, slot: Slot, max_jobs: int) -> None:
        self.name, self.slot, self.max_jobs = name, slot, max_jobs
        self.inbox: SimpleQueue[Received | None] = SimpleQueue()  # None: nothing more will come
        self.stopping = False
        self.busy_since: float | None = None
        self.pace = 2 * SHORT  # seconds a job takes, as a moving average
        self.served = ""  # the queue of the message in hand
        self.settled = (0, 0)  # generation, and the delivery tag up to which everything is settled
        self.ack_is_due = False
        # Only the I/O thread touches these:
        self.queues = list(queues)  # the first is served first
        self.prefetch = 0  # messages per queue; 0: we do not consume
        self.ending = False
        self.publisher = Publisher(rmq_url, f"{name} publisher")
        self.connection = ConnectionKeeper(rmq_url, name, self._on_open)
        self.connection.call(self._keep_watch)

    # ------------------------------------------------ the main thread

    def work(self) -> None:
        """Take message after message until there will be no more."""
        while (received := self.inbox.get()) is not None:
            if self.stopping or received.generation != self.connection.generation:
                continue  # the broker hands it to somebody else
            self.served, self.busy_since = received.queue, time.monotonic()
            self._carry_out(self._decide(received), received)
            self.pace += 0.1 * (time.monotonic() - self.busy_since - self.pace)
            self.busy_since, logs.current_run = None, ""
            if read_ahead(self.pace, self.prefetch) != self.prefetch:
                self.connection.call(self._adapt)
            # feature: recycling children
            if self.max_jobs and self.slot.jobs_done == self.max_jobs:
                self.connection.call(self._end)
            # end
        self.connection.close()
        self.publisher.close()

    def _decide(self, received: Received) -> Decision:
        # feature: registration and dispatch
        try:
            delivery = envelope.delivery(received.properties, received.body, received.method.redelivered)
        except envelope.UndecodableMessage as error:
            log.warning("message %s is put aside: %s", received.properties.message_id, error)
            return DeadLetter(f"undecodable: {error}")
        logs.current_run = delivery.run_id
        try:
            with self.slot.working(delivery, job_named(delivery.job).policy):
                outcome = execute(delivery, worker=self.name)
        # end
        except TimeLimitExceeded:  # it struck outside the job: we cannot know what was interrupted
            outcome = Failed("TimeLimitExceeded")
            end_from_outside(delivery.run_id, "raw", outcome.error, self.name)
            self.stop()
        log.info("%s ended %s", delivery.job, outcome)
        return settle(outcome, delivery.redelivered)

    def _carry_out(self, decision: Decision, received: Received) -> None:
        properties, body, queue = received.properties, received.body, received.queue
        match decision:
            case RetryAfter(seconds):
                self._forward(envelope.retry(properties, body, queue, seconds), received)
            case DeadLetter(reason):
                self._forward(envelope.dead_letter(properties, body, queue, reason), received)
        # feature: ack after the outcome is durable
        self.settled = received.generation, received.method.delivery_tag
        if not self.ack_is_due:  # else the one that is due will include this message
            self.ack_is_due = True
            self.connection.call(self._acknowledge)
        # end

    def _forward(self, message: envelope.Message, received: Received) -> None:
        """Publish, and see it confirmed before the message it replaces is acknowledged: dying in between makes a copy."""
        while not self.publisher.send([message], FORWARD_SECONDS)[0]:
            if received.generation != self.connection.generation:
                return  # the broker delivers it again; its acknowledgement will be dropped
        crash_point("after-retry-publish")

    def stop(self) -> None:
        """Finish the job in hand, give back everything else, and end. May be called from a signal handler."""
        self.stopping = True
        self.connection.call(self._end)

    # ------------------------------------------------ the I/O thread

    def _on_open(self, channel: Channel) -> None:
        topology.declare(channel)
        channel.add_on_cancel_callback(self._on_cancelled)
        self.prefetch = 0
        self._adapt()

    def _on_cancelled(self, _frame: object) -> None:
        """The broker has ended a consumer, which happens when its queue is deleted. Connect anew: that declares it again."""
        self.connection.fail(ConnectionAbortedError("the broker has ended a consumer; was its queue deleted?"))

    def _on_message(
        self, queue: str, _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        self.inbox.put(Received(self.connection.generation, queue, method, properties, body))

    # feature: prefetch
    def _keep_watch(self) -> None:
        self._adapt()
        self.connection.loop.call_later(LONG, self._keep_watch)

    def _adapt(self) -> None:
        """Consume with the prefetch that suits the job in hand and the jobs before it."""
        channel = self.connection.channel
        if channel is None or not channel.is_open or self.ending:
            return
        busy = self.busy_since
        caught = busy is not None and time.monotonic() > busy + LONG
        wanted = 0 if caught else read_ahead(self.pace, self.prefetch)
        if wanted == self.prefetch:
            return
        self._stop_consuming(channel)
        if wanted < self.prefetch:
            self._give_back(channel)
        if wanted:
            channel.basic_qos(prefetch_count=wanted)
            self.queues.sort(key=lambda queue: queue == self.served)  # who was served last comes last
            for queue in self.queues:
                channel.basic_consume(topology.queue_name(queue), partial(self._on_message, queue))
        self.prefetch = wanted

    def _stop_consuming(self, channel: Channel) -> None:
        for consumer_tag in channel.consumer_tags:
            channel.basic_cancel(consumer_tag, lambda _frame: None)  # pika returns what is still on its way

    def _give_back(self, channel: Channel) -> None:
        with suppress(Empty):
            while (received := self.inbox.get_nowait()) is not None:
                if received.generation == self.connection.generation:
                    channel.basic_nack(received.method.delivery_tag, requeue=True)

    # end

    def _acknowledge(self) -> None:
        self.ack_is_due = False
        generation, tag = self.settled
        channel = self.connection.channel
        if channel is not None and channel.is_open and generation == self.connection.generation:
            channel.basic_ack(tag, multiple=True)  # jobs are done in the order in which their messages came

    def _end(self) -> None:
        self.ending = True
        channel = self.connection.channel
        if channel is not None and channel.is_open:
            self._stop_consuming(channel)
            if self.stopping:
                self._give_back(channel)
        self.inbox.put(None)


def read_ahead(pace: float, now: int) -> int:
    """How many messages per queue to hold when jobs take `pace` seconds and we hold `now`; it does not flutter."""
    return READ_AHEAD if pace < (SHORT if now <= 1 else 2 * SHORT) else 1
