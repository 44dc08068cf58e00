"""Lab 1, One job, three lanes. A web page calls `submit` for each post, and its visitor waits until it returns."""

import json
import os
from typing import Any

import pika

from experiments.messenger import post


def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text, timeout=None)


def connect() -> pika.BlockingConnection:
    """A connection to the broker."""
    return pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))


# TODO 1: the visitor waits no longer than it takes to hand the job over: put it into the queue "posts", as `work`
#         below expects it; a worker does it.
def submit(text: str) -> str:
    """Have a post published; return "accepted"."""
    publish_post(text)
    return "accepted"


def work(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
    """One message from the queue."""
    publish_post(**json.loads(body))
    channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":  # a worker; the web page only imports this module
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare("posts", durable=True)
        channel.basic_consume("posts", work)
        channel.start_consuming()
