"""python -m bench.bare 20000: what the broker allows. pika and nothing else publishes into the raw lane's queue.

As many messages are on their way as the raw lane's publisher has; persistent, mandatory and confirmed as there, but
all the same, and made once. Prints how many a second were confirmed.
"""

import sys
import time
from typing import Any

import pika

from bench.untracked import BATCH, CALLERS, message
from cars_bot.settings import settings
from raw_consumer import topology


class Flood:
    """Publishes `count` messages over one connection, then closes it."""

    def __init__(self, count: int) -> None:
        self.count, self.sent, self.confirmed = count, 0, 0
        self.message = message()
        self.connection = pika.SelectConnection(
            pika.URLParameters(settings().rmq_url),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self.begin),
            on_close_callback=lambda connection, _reason: connection.ioloop.stop(),
        )

    def begin(self, channel: Any) -> None:
        """Go, as soon as the broker will confirm."""
        self.channel = channel
        topology.declare(channel)
        channel.confirm_delivery(self.on_confirm, callback=lambda _frame: self.go())

    def go(self) -> None:
        """Start the clock."""
        self.began = time.monotonic()
        self.send()

    def send(self) -> None:
        """Fill up what may be on its way."""
        one = self.message
        while self.sent < min(self.count, self.confirmed + BATCH * CALLERS):
            self.channel.basic_publish(one.exchange, one.routing_key, one.body, one.properties, True)
            self.sent += 1

    def on_confirm(self, frame: Any) -> None:
        """Confirms come in order here: there is one queue."""
        self.confirmed = frame.method.delivery_tag
        if self.confirmed < self.count:
            self.send()
        else:
            print(self.count / (time.monotonic() - self.began))
            self.connection.close()


if __name__ == "__main__":
    Flood(int(sys.argv[1])).connection.ioloop.start()
