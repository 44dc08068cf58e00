"""Logging in a consumer: each line is written before the next statement runs, with its time, level and name."""

import logging
import os
from typing import Any

import pika

from experiments.evidence import hold, note


def publish_posts(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Publish as many posts in the channel as the message says."""
    for number in range(int(body)):
        log.info("post %s is published", number)
    hold("after the posts")
    channel.basic_ack(method.delivery_tag)


logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("publishing")
log.setLevel(logging.INFO)
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_consume("posts", publish_posts)
note("worker ready")
channel.start_consuming()
