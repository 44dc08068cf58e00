"""Lab 16, Redis or RabbitMQ. One job, two brokers. BROKER says which one to use, WORKER is this worker's name."""

import json
import os
from typing import Any

import redis

from labs.consuming import Delivery, consume
from labs.lab16_redis_or_rabbitmq.effect import effect
from labs.lab16_redis_or_rabbitmq.words import LOST, QUEUE


def on_rabbitmq() -> None:
    """Take messages from the queue "posts"."""
    consume("posts", publish_post)


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    effect(delivery.arguments["text"])
    delivery.ack()


# TODO 1: when a worker is killed and started again, it does its message. So until a message is done, it must be
#         somewhere in Redis. A starting worker does not touch the messages that other workers do.
def on_redis() -> None:
    """Take messages from the list "posts". Senders push them at its left end."""
    # A worker may wait for its next message without a limit. By default the client gives up after 5 s.
    client: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=None)
    while True:
        body = client.brpop(["posts"])[1]
        effect(json.loads(body)["text"])


# TODO 2: the left column was measured. Predict the right one for your new program, and correct it.
def answers() -> dict[str, dict[str, str]]:
    """Return what happens to a message on each broker."""
    return {
        # The only worker is killed at work, and nobody starts another one.
        "killed, nobody else there": {"rabbitmq": QUEUE, "redis": QUEUE},
        # It was sent without any options to a queue that does not exist.
        "a queue that is not there": {"rabbitmq": LOST, "redis": LOST},
    }


if __name__ == "__main__":
    {"rabbitmq": on_rabbitmq, "redis": on_redis}[os.environ["BROKER"]]()
