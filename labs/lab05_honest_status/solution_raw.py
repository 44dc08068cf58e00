"""Lab 5, Honest status. A page submits posts, and later asks for their status."""

import json
import uuid

from pika import BasicProperties

from experiments.messenger import Refused
from labs.consuming import Delivery, connect, consume
from labs.lab05_honest_status import rows
from labs.lab05_honest_status.job import publish


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    rows.change(delivery.id, "running")
    try:
        publish(delivery.arguments["text"])
    except Refused as error:
        print(f"given up: {error}")
        rows.change(delivery.id, "failed")
    else:
        rows.change(delivery.id, "done")
    delivery.ack()


def submit(text: str) -> str:
    """Submit a post for publication, and return its id."""
    post_id = str(uuid.uuid4())
    rows.accept(post_id, text)
    send(post_id, text)
    return post_id


def status(post_id: str) -> str:
    """Return a post's status: "unknown", "queued", "running", "done" or "failed"."""
    return rows.status_of(post_id) or "unknown"


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
