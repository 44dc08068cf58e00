"""Lab 14, The outbox. A post is a row in the database and a message in the broker. No transaction covers both."""

import json

from pika import BasicProperties

from labs.consuming import Delivery, connect, consume
from labs.lab14_outbox import book
from labs.lab14_outbox.book import add, mark_sent, unsent, writing


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    book.publish(delivery.arguments["post_id"])
    delivery.ack()


def send(post_id: str) -> None:
    """Send a post to the broker, and return when the broker has confirmed it."""
    body = json.dumps({"post_id": post_id}).encode()
    properties = BasicProperties(message_id=post_id, type="publish_post", delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "posts", body, properties, mandatory=True)


def accept(text: str) -> str:
    """Accept a post from an editor, and return its id."""
    with writing("accept") as database:
        return add(database, text)


def relay() -> int:
    """Send the posts that wait, and return their number. This function is called again and again."""
    waiting = unsent()
    for post_id in waiting:
        send(post_id)
        with writing("relay") as database:
            mark_sent(database, post_id)
    return len(waiting)


if __name__ == "__main__":
    consume("posts", publish_post)
