"""python -m bench.bare 20000: the limit of the broker. Only pika publishes into the raw lane's queue.

As many messages are unconfirmed at a time as with the raw lane's publisher. They are persistent, mandatory and
confirmed as there. But all of them are one message, which is made once. Prints confirmed messages a second.
"""

import sys
import time
from typing import Any

import pika

from bench.untracked import BATCH, CALLERS, message
from cars_bot.settings import settings
from raw_consumer import topology


class Flood:
    """Publisher of `count` messages over one connection, which it then closes."""

    def __init__(self, count: int) -> None:
        self.count, self.sent, self.confirmed = count, 0, 0
        self.message = message()
        self.connection = pika.SelectConnection(
            pika.URLParameters(settings().rmq_url),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self.begin),
            on_close_callback=lambda connection, _reason: connection.ioloop.stop(),
        )

    def begin(self, channel: Any) -> None:
        """Declare the queues, ask for confirms, and start when the broker agrees."""
        self.channel = channel
        topology.declare(channel)
        channel.confirm_delivery(self.on_confirm, callback=lambda _frame: self.go())

    def go(self) -> None:
        """Start the clock, and send the first messages."""
        self.began = time.monotonic()
        self.send()

    def send(self) -> None:
        """Send until the allowed number of messages is unconfirmed."""
        one = self.message
        while self.sent < min(self.count, self.confirmed + BATCH * CALLERS):
            self.channel.basic_publish(one.exchange, one.routing_key, one.body, one.properties, True)
            self.sent += 1

    def on_confirm(self, frame: Any) -> None:
        """Send more, or end. Confirms come in order here, because there is one queue."""
        self.confirmed = frame.method.delivery_tag
        if self.confirmed < self.count:
            self.send()
        else:
            print(self.count / (time.monotonic() - self.began))
            self.connection.close()


if __name__ == "__main__":
    Flood(int(sys.argv[1])).connection.ioloop.start()
