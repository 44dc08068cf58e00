"""Lab 2, By hand. A job takes eight seconds; broker and worker give each other up after some seconds of silence."""

import json
import os
from typing import Any

import pika

from experiments.messenger import post
from labs.lab02_by_hand.pictures import draw

parameters = pika.URLParameters(os.environ["RMQ_URL"])
parameters.heartbeat = 2  # seconds; whoever is silent for two of them is taken for dead. Leave it as it is.


def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    draw(text)
    post(text)


# TODO 1: the connection is served while a job runs, so that the broker does not take this worker for dead.
# TODO 2: a message is acknowledged when its job is done, and by the thread that the connection belongs to.
# TODO 3: a job that fails does not leave its message in this worker's hands for ever.
def on_message(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
    """One message from the queue."""
    publish_post(**json.loads(body))
    channel.basic_ack(method.delivery_tag)


with pika.BlockingConnection(parameters) as connection:
    channel = connection.channel()
    channel.queue_declare("posts", durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("posts", on_message)
    channel.start_consuming()
