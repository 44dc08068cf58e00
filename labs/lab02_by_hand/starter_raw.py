"""Lab 2, By hand. A job takes eight seconds. After some seconds of silence the broker takes a worker for dead."""

import json
import os
from typing import Any

import pika

from experiments.messenger import post
from labs.lab02_by_hand.pictures import draw

parameters = pika.URLParameters(os.environ["RMQ_URL"])
parameters.heartbeat = 2  # seconds; a side that is silent for two heartbeats counts as dead. Do not change it.


def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    draw(text)
    post(text)


# TODO 1: serve the connection while a job runs, so that the broker does not take this worker for dead.
# TODO 2: acknowledge a message when its job is done, on the thread that owns the connection.
# TODO 3: if a job fails, do not keep its message for ever.
def on_message(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
    """Do the job of one message, and acknowledge the message."""
    publish_post(**json.loads(body))
    channel.basic_ack(method.delivery_tag)


with pika.BlockingConnection(parameters) as connection:
    channel = connection.channel()
    channel.queue_declare("posts", durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("posts", on_message)
    channel.start_consuming()
