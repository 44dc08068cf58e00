"""Lab 13, Beat and delays. The sheet is written each second, and some posts are published later."""

import json
import os
import sys

from pika import BasicProperties
from redis import Redis

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab13_beat_and_delays.clock import seconds
from labs.lab13_beat_and_delays.sheet import write_sheet

redis = Redis.from_url(os.environ["REDIS_URL"])


def beat() -> None:
    """Send each second's job when it is due, unless another scheduler has sent it; for ever."""
    with connect() as connection:
        channel = connection.channel()
        for second in seconds():
            connection.process_data_events()  # heartbeats
            if redis.set(f"sync_sheet:{second}", "taken", nx=True, ex=60):
                channel.basic_publish("", "posts", b"{}", BasicProperties(type="sync_sheet", delivery_mode=2))


def sync_sheet(delivery: Delivery) -> None:
    """Write the sheet."""
    write_sheet()
    delivery.ack()


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    post(delivery.arguments["text"])
    delivery.ack()


def later(text: str, seconds: int) -> None:
    """Submit a post for publication after that many seconds."""
    body = json.dumps({"text": text}).encode()
    # One queue for each length of time: only the message at a queue's head expires.
    waits = f"posts.wait.{seconds}"
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts", "x-message-ttl": seconds * 1000}
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare(waits, durable=True, arguments=back)
        channel.basic_publish("", waits, body, BasicProperties(type="publish_post", delivery_mode=2))


JOBS = {"publish_post": publish_post, "sync_sheet": sync_sheet}

if __name__ == "__main__":
    if sys.argv[1:] == ["beat"]:
        beat()
    else:
        consume("posts", lambda delivery: JOBS[delivery.job](delivery))
