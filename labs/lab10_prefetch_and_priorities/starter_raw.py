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


# TODO 3: an urgent post comes before all posts that wait.
def submit(text: str, urgent: bool) -> None:
    """Submit a post for publication."""
    properties = BasicProperties(type="publish_post", delivery_mode=2)
    with connect() as connection:
        connection.channel().basic_publish("", "posts", json.dumps({"text": text}).encode(), properties)


# TODO 1: a busy worker takes no message that it cannot begin at once.
# TODO 2: the queue has priorities from 0 to 9.
if __name__ == "__main__":  # only the worker runs this part; the web page imports the module
    consume("posts", publish_post, prefetch=10)
