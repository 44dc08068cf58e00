"""One message at a time: the others stay in the queue, where an idle consumer finds them."""

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
channel.basic_qos(prefetch_count=1)
channel.basic_consume("posts", process_post)
note("worker ready")
channel.start_consuming()
