"""Lab 16, Redis or RabbitMQ. One job, two brokers. BROKER says which one to use, WORKER is this worker's name."""

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
    """Take messages from the list "posts". Senders push them at its left end."""
    # A worker may wait for its next message without a limit. By default the client gives up after 5 s.
    client: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=None)
    mine = f"posts.at-work.{os.environ['WORKER']}"
    while client.lmove(mine, "posts", src="LEFT", dest="RIGHT"):
        print("found a message that this worker left behind")
    while True:
        body = client.blmove("posts", mine, timeout=0, src="RIGHT", dest="LEFT")
        effect(json.loads(body)["text"])
        client.lrem(mine, 1, body)


def answers() -> dict[str, dict[str, str]]:
    """Return what happens to a message on each broker."""
    return {
        # The only worker is killed at work, and nobody starts another one.
        "killed, nobody else there": {"rabbitmq": QUEUE, "redis": ASIDE},
        # It was sent without any options to a queue that does not exist.
        "a queue that is not there": {"rabbitmq": LOST, "redis": QUEUE},
    }


if __name__ == "__main__":
    {"rabbitmq": on_rabbitmq, "redis": on_redis}[os.environ["BROKER"]]()
