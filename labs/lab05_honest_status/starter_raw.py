"""Lab 5, Honest status. A page submits posts, and later asks for their status."""

import json
import os
import uuid

from pika import BasicProperties
from redis import Redis

from experiments.messenger import Refused
from labs.consuming import Delivery, connect, consume
from labs.lab05_honest_status import rows  # noqa: F401 - the page's database: accept, change, status_of
from labs.lab05_honest_status.job import publish

RESULTS = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


# TODO 2: write down when the job begins, and how it ends.
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    try:
        publish(delivery.arguments["text"])
        RESULTS.set(delivery.id, "done", ex=3600)
    except Refused as error:
        print(f"given up: {error}")
    delivery.ack()


# TODO 1: write down that a post is submitted, before a worker can see it.
def submit(text: str) -> str:
    """Submit a post for publication, and return its id."""
    post_id = str(uuid.uuid4())
    send(post_id, text)
    return post_id


# TODO 3: return the true status. Return "unknown" only for an id that was never submitted.
def status(post_id: str) -> str:
    """Return a post's status: "unknown", "queued", "running", "done" or "failed"."""
    return str(RESULTS.get(post_id) or "queued")


def send(post_id: str, text: str) -> None:
    """Put the message into the queue, and wait for the broker's confirm."""
    properties = BasicProperties(message_id=post_id, type="publish_post", delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("posts", durable=True)
        channel.basic_publish("", "posts", json.dumps({"text": text}).encode(), properties, mandatory=True)


if __name__ == "__main__":  # only the worker runs this part; the page imports the module
    consume("posts", publish_post)
