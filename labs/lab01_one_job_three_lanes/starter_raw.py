"""Lab 1, One job, three lanes. A web page calls `submit` for each post. Its visitor waits until `submit` returns."""

import json
import os
from typing import Any

import pika

from experiments.messenger import post


def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text, timeout=None)


def connect() -> pika.BlockingConnection:
    """Connect to the broker."""
    return pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))


# TODO 1: `submit` only hands the job over, and the visitor waits no longer than that. Put the job into the queue
#         "posts", in the form that `work` below expects. A worker does the job.
def submit(text: str) -> str:
    """Submit a post for publication, and return "accepted"."""
    publish_post(text)
    return "accepted"


def work(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
    """Do the job of one message, and acknowledge the message."""
    publish_post(**json.loads(body))
    channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":  # only the worker runs this part; the web page imports the module
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare("posts", durable=True)
        channel.basic_consume("posts", work)
        channel.start_consuming()
