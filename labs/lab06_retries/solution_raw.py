"""Lab 6, Retries. The messenger is sometimes down for a while. It will never take some posts."""

import random

from pika import BasicProperties

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, connect, consume

RETRIES = 5


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    try:
        post(delivery.arguments["text"])
    except Passing:
        try_later(delivery)
    except Refused as error:
        print(f"given up: {error}")  # lab 9 keeps such messages
    delivery.ack()


def try_later(delivery: Delivery) -> None:
    """Let a copy wait in a queue, with one more retry in its header. The broker returns it when its pause is over."""
    retry = delivery.headers.get("retry", 0)
    if retry == RETRIES:
        print(f"given up after {RETRIES} retries")
        return
    pause = random.randint(max(1, 2**retry // 2), 2**retry)
    properties = BasicProperties(
        message_id=delivery.id, type=delivery.job, delivery_mode=2, headers={"retry": retry + 1}
    )  # fmt: skip
    delivery.publish("", f"posts.wait.{pause}", delivery.body, properties)


# One queue for each number of seconds: messages expire at the head only, so all messages in a queue wait equally long.
with connect() as connection:
    channel = connection.channel()
    for seconds in range(1, 2 ** (RETRIES - 1) + 1):
        back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts", "x-message-ttl": seconds * 1000}
        channel.queue_declare(f"posts.wait.{seconds}", durable=True, arguments=back)

consume("posts", publish_post, prefetch=10, threads=10)
