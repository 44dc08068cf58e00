"""No prefetch limit: the first consumer gets the whole queue, and a second one finds it empty."""

import os
from typing import Any

import pika

from experiments.evidence import hold, note


def process_post(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Analyse a post. The first one of the experiment is a long one."""
    if body == b"1":
        hold("the long post")
    note("succeeded", post=body.decode())
    channel.basic_ack(method.delivery_tag)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_qos(prefetch_count=0)  # antipattern: no-prefetch-limit
channel.basic_consume("posts", process_post)
note("worker ready")
channel.start_consuming()
