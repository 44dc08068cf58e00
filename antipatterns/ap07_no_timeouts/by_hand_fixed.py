"""A thread for the job: the connection's own thread answers the broker meanwhile, and acknowledges at the end."""

import os
import threading
from typing import Any

import pika

from experiments.evidence import hold, note
from experiments.messenger import post


def publish_post(channel: Any, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
    """Publish a post in the channel, which takes long."""
    threading.Thread(target=work, args=(channel, method.delivery_tag, body)).start()


def work(channel: Any, tag: int, body: bytes) -> None:
    """Do the part that takes long, and acknowledge."""
    note("started", post=body.decode())
    hold("before the post")
    post(f"Post {body.decode()}")
    note("succeeded", post=body.decode())
    channel.connection.add_callback_threadsafe(lambda: channel.basic_ack(tag))


connection = pika.BlockingConnection(pika.URLParameters(f"{os.environ['RMQ_URL']}?heartbeat=2"))
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_qos(prefetch_count=1)
channel.basic_consume("posts", publish_post)
note("worker ready")
channel.start_consuming()
