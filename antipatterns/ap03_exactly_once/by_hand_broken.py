"""Acknowledging before the work: the broker forgets the post, and the only process that knows it is killed."""

import os
from typing import Any

import pika

from experiments.evidence import hold, note
from experiments.messenger import post


def publish_post(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Publish a post in the channel."""
    channel.basic_ack(method.delivery_tag)  # antipattern: ack-before-work
    note("started", post=body.decode())
    hold("before the post")
    post(f"Post {body.decode()}")
    note("succeeded", post=body.decode())


connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_qos(prefetch_count=1)
channel.basic_consume("posts", publish_post)
note("worker ready")
channel.start_consuming()
