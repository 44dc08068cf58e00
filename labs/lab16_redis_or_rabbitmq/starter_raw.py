"""Lab 16, Redis or RabbitMQ. One job, two brokers; BROKER says which, WORKER what this worker is called."""

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


# TODO 1: a message whose worker is killed is done when that worker is started again: until it is done it must be
#         somewhere in Redis. A worker that starts leaves alone what others are at.
def on_redis() -> None:
    """Take messages from the list "posts"; senders push them at its left end."""
    # A worker may wait for its next message as long as it takes; the client gives up after 5 s unless told.
    client: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=None)
    while True:
        body = client.brpop(["posts"])[1]
        effect(json.loads(body)["text"])


# TODO 2: the left column was measured. Predict the right one for the program that you have now, and correct it.
def answers() -> dict[str, dict[str, str]]:
    """What becomes of a message, on either broker."""
    return {
        # The only worker is killed at work, and nobody starts another one.
        "killed, nobody else there": {"rabbitmq": QUEUE, "redis": QUEUE},
        # It was sent, in the plainest way, to a queue that nobody has made.
        "a queue that is not there": {"rabbitmq": LOST, "redis": LOST},
    }


if __name__ == "__main__":
    {"rabbitmq": on_rabbitmq, "redis": on_redis}[os.environ["BROKER"]]()
