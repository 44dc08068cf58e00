"""Reliable publishing: confirmed and mandatory, with pipelined confirms.

Without a confirm, a publish into a dead connection succeeds; without `mandatory`, one that reaches no queue. A wait for
each confirm would cost a round trip to the broker's disk per message, so all messages are sent at once. A message
counts when it was confirmed and not returned. Others are unknown, not lost: the relay publishes them again.
"""

import threading
import time
from collections.abc import Sequence
from itertools import takewhile

from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, BasicProperties

from cars_bot.processes import clock
from cars_bot.runs import Run
from raw_consumer import envelope, topology
from raw_consumer.connection import ConnectionKeeper
from raw_consumer.envelope import Message


class _Batch:
    """Messages that are sent together, and the broker's answer to each."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.confirmed = [False] * len(messages)
        self.unanswered = len(messages)
        self.over = threading.Event()

    def answer(self, index: int, confirmed: bool) -> None:
        self.confirmed[index] = confirmed
        self.unanswered -= 1
        if self.unanswered == 0:
            self.over.set()


class Publisher:
    """Publishes from any thread. The first use makes the connection. A process needs one publisher."""

    def __init__(self, rmq_url: str, name: str = "publisher") -> None:
        self._connection = ConnectionKeeper(rmq_url, name, self._on_open, self._on_lost)
        self._tag = 0  # the broker counts the publishes of a channel from 1
        self._waiting: dict[int, tuple[_Batch, int]] = {}  # by tag, in order
        self._returned: set[str | None] = set()

    def publish(self, runs: Sequence[Run], timeout: float) -> list[str]:
        """Publish runs. Return the ids that the broker confirmed within `timeout` seconds: none while it is away."""
        confirmed = self.send([envelope.message(run, clock.now()) for run in runs], timeout)
        return [run.id for run, is_confirmed in zip(runs, confirmed, strict=True) if is_confirmed]

    def send(self, messages: Sequence[Message], timeout: float) -> list[bool]:
        """Publish messages. Return for each: True if the broker confirmed it within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        batch = _Batch(messages)
        self._connection.start()
        if messages and self._connection.opened.wait(timeout):
            self._connection.call(self._send, batch)
            batch.over.wait(max(0.0, deadline - time.monotonic()))
        return list(batch.confirmed)

    def close(self) -> None:
        """Close the connection. A message without an answer counts as not confirmed."""
        self._connection.close()

    # ------------------------------------------------ from here on: the connection's thread

    # feature: confirmed, mandatory publishing
    def _on_open(self, channel: Channel) -> None:
        topology.declare(channel)
        channel.confirm_delivery(self._on_confirm)
        channel.add_on_return_callback(self._on_return)
        self._tag = 0

    def _send(self, batch: _Batch) -> None:
        channel = self._connection.channel
        if channel is None or not channel.is_open:  # lost again meanwhile
            batch.over.set()
            return
        for index, message in enumerate(batch.messages):
            channel.basic_publish(message.exchange, message.routing_key, message.body, message.properties, True)
            self._tag += 1
            self._waiting[self._tag] = batch, index

    def _on_confirm(self, frame: Method) -> None:
        answer: Basic.Ack | Basic.Nack = frame.method
        tags = [answer.delivery_tag]
        if answer.multiple:  # this one and all before it
            tags = list(takewhile(lambda tag: tag <= answer.delivery_tag, self._waiting))
        for tag in tags:
            batch, index = self._waiting.pop(tag)
            message_id = batch.messages[index].properties.message_id
            batch.answer(index, isinstance(answer, Basic.Ack) and message_id not in self._returned)
            self._returned.discard(message_id)

    def _on_return(self, channel: Channel, _method: Basic.Return, properties: BasicProperties, _body: bytes) -> None:
        """Note a message that reached no queue, because one was deleted. The broker confirms it right after this."""
        if not self._returned:
            topology.declare(channel)
        self._returned.add(properties.message_id)

    # end

    def _on_lost(self) -> None:
        unknown = {id(batch): batch for batch, _index in self._waiting.values()}
        self._waiting.clear()
        self._returned.clear()
        for batch in unknown.values():
            batch.over.set()
