"""Lab 2, By hand. A job takes eight seconds. After some seconds of silence the broker takes a worker for dead."""

import functools
import json
import os
import traceback
from concurrent.futures import ThreadPoolExecutor
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


def on_message(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
    """Give the job of one message to another thread. This thread goes on serving the connection."""
    jobs.submit(work, channel, method, body)


def work(channel: Any, method: Any, body: bytes) -> None:
    """Do a job, and let the connection's own thread acknowledge its message."""
    try:
        publish_post(**json.loads(body))
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # an error on a thread does not end the process; this does, and the broker gets the message back
    channel.connection.add_callback_threadsafe(functools.partial(channel.basic_ack, method.delivery_tag))


jobs = ThreadPoolExecutor(1)
with pika.BlockingConnection(parameters) as connection:
    channel = connection.channel()
    channel.queue_declare("posts", durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("posts", on_message)
    channel.start_consuming()
