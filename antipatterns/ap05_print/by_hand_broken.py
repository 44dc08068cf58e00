"""print in a consumer: without a terminal, lines wait in a buffer in memory, and they die with the process."""

import os
from typing import Any

import pika

from experiments.evidence import hold, note


def publish_posts(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Publish as many posts in the channel as the message says."""
    for number in range(int(body)):
        print(f"post {number} is published")  # antipattern: print
    hold("after the posts")
    channel.basic_ack(method.delivery_tag)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_consume("posts", publish_posts)
note("worker ready")
channel.start_consuming()
