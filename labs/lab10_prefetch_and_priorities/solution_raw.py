"""Lab 10, Prefetch and priorities. An urgent post comes while a worker is busy and ordinary ones wait."""

import json

from pika import BasicProperties

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab10_prefetch_and_priorities.video import convert


def publish_post(delivery: Delivery) -> None:
    """Publish a post and its video in the channel."""
    text = delivery.arguments["text"]
    convert(text)
    post(text)
    delivery.ack()


def submit(text: str, urgent: bool) -> None:
    """Submit a post for publication."""
    properties = BasicProperties(type="publish_post", delivery_mode=2, priority=9 if urgent else 0)
    with connect() as connection:
        connection.channel().basic_publish("", "posts", json.dumps({"text": text}).encode(), properties)


if __name__ == "__main__":  # only the worker runs this part; the web page imports the module
    consume("posts", publish_post, prefetch=1, arguments={"x-max-priority": 9})
