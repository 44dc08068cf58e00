"""Lab 14, The outbox. A post is a row in the database and a message in the broker. No transaction covers both."""

import json

from pika import BasicProperties

from labs.consuming import Delivery, connect, consume
from labs.lab14_outbox import book
from labs.lab14_outbox.book import add, mark_sent, unsent, writing  # noqa: F401 - what there is


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


# TODO 1: this may be killed anywhere. A committed post is sent in the end, if not from here, then by the relay. A
#         post that is not committed is never sent.
def accept(text: str) -> str:
    """Accept a post from an editor, and return its id."""
    with writing("accept") as database:
        post_id = add(database, text)
    send(post_id)
    return post_id


# TODO 2: send each post that is accepted and not sent yet, and mark it, in a transaction `writing("relay")`. This,
#         too, is killed and started again. No post may be left out. A copy now and then does no harm.
def relay() -> int:
    """Send the posts that wait, and return their number. This function is called again and again."""
    return 0


if __name__ == "__main__":
    consume("posts", publish_post)
