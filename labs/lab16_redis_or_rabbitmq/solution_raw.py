"""Lab 16, Redis or RabbitMQ. One job, two brokers; BROKER says which, WORKER what this worker is called."""

import json
import os
from typing import Any

import redis

from labs.consuming import Delivery, consume
from labs.lab16_redis_or_rabbitmq.effect import effect
from labs.lab16_redis_or_rabbitmq.words import ASIDE, LOST, QUEUE


def on_rabbitmq() -> None:
    """Take messages from the queue "posts"."""
    consume("posts", publish_post)


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    effect(delivery.arguments["text"])
    delivery.ack()


def on_redis() -> None:
    """Take messages from the list "posts"; senders push them at its left end."""
    # A worker may wait for its next message as long as it takes; the client gives up after 5 s unless told.
    client: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=None)
    mine = f"posts.at-work.{os.environ['WORKER']}"
    while client.lmove(mine, "posts", src="LEFT", dest="RIGHT"):
        print("found a message that this worker left behind")
    while True:
        body = client.blmove("posts", mine, timeout=0, src="RIGHT", dest="LEFT")
        effect(json.loads(body)["text"])
        client.lrem(mine, 1, body)


def answers() -> dict[str, dict[str, str]]:
    """What becomes of a message, on either broker."""
    return {
        # The only worker is killed at work, and nobody starts another one.
        "killed, nobody else there": {"rabbitmq": QUEUE, "redis": ASIDE},
        # It was sent, in the plainest way, to a queue that nobody has made.
        "a queue that is not there": {"rabbitmq": LOST, "redis": QUEUE},
    }


if __name__ == "__main__":
    {"rabbitmq": on_rabbitmq, "redis": on_redis}[os.environ["BROKER"]]()
