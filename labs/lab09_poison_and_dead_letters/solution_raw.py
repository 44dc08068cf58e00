"""Lab 9, Poison and dead letters. Some messages kill whoever works on them, some fail, some cannot be read."""

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab09_poison_and_dead_letters.classifier import classify

LIMITED = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 2,  # how often it may come back
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": "posts.dead",
}


def classify_post(delivery: Delivery) -> None:
    """Find out what a post is about, and tell the channel."""
    try:
        text = delivery.arguments["text"]
        post(f"{text}: {classify(text)}")
    except Exception as error:  # whatever it is, the worker has other messages to see to
        print(f"put aside: {error!r}")
        delivery.reject()
    else:
        delivery.ack()


with connect() as connection:
    connection.channel().queue_declare("posts.dead", durable=True)

consume("posts", classify_post, arguments=LIMITED)
