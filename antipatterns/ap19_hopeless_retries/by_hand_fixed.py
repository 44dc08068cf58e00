"""Requeue after an error that may pass; a hopeless post goes to the dead letters, where a person looks at it."""

import os
from typing import Any

import pika

from experiments.evidence import note
from experiments.messenger import Passing, Refused, post


def publish_post(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Publish a post in the channel."""
    note("started", post=body.decode()[:7])
    try:
        post(body.decode())
        channel.basic_ack(method.delivery_tag)
    except Passing:
        channel.basic_nack(method.delivery_tag, requeue=True)
    except Refused:
        channel.basic_nack(method.delivery_tag, requeue=False)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("dead", durable=True)
routes = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
channel.queue_declare("posts", durable=True, arguments=routes)
channel.basic_qos(prefetch_count=1)
channel.basic_consume("posts", publish_post)
note("worker ready")
channel.start_consuming()
