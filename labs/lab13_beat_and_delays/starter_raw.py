"""Lab 13, Beat and delays. The sheet is written each second, and some posts are published later."""

import json
import sys
import threading

from pika import BasicProperties

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab13_beat_and_delays.clock import seconds
from labs.lab13_beat_and_delays.sheet import write_sheet


# TODO 1: two of these run. When one is killed, the schedule goes on within five seconds. The sheet is still written
#         once each second. The two share Redis, at REDIS_URL.
def beat() -> None:
    """Send each second's job when it is due; for ever."""
    with connect() as connection:
        channel = connection.channel()
        for _second in seconds():
            connection.process_data_events()  # heartbeats
            channel.basic_publish("", "posts", b"{}", BasicProperties(type="sync_sheet", delivery_mode=2))


def sync_sheet(delivery: Delivery) -> None:
    """Write the sheet."""
    write_sheet()
    delivery.ack()


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel after that many seconds."""
    threading.Timer(delivery.arguments["seconds"], post, [delivery.arguments["text"]]).start()
    delivery.ack()


# TODO 2: a waiting post holds no worker. It is published in time even if the worker is killed meanwhile.
def later(text: str, seconds: int) -> None:
    """Submit a post for publication after that many seconds."""
    body = json.dumps({"text": text, "seconds": seconds}).encode()
    with connect() as connection:
        connection.channel().basic_publish("", "posts", body, BasicProperties(type="publish_post", delivery_mode=2))


JOBS = {"publish_post": publish_post, "sync_sheet": sync_sheet}

if __name__ == "__main__":
    if sys.argv[1:] == ["beat"]:
        beat()
    else:
        consume("posts", lambda delivery: JOBS[delivery.job](delivery))
