"""Lab 9, Poison and dead letters. Some messages kill their worker, some fail, and some are unreadable."""

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab09_poison_and_dead_letters.classifier import classify

LIMITED = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 2,  # times that a message may come back
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": "posts.dead",
}


def classify_post(delivery: Delivery) -> None:
    """Classify a post, and post its category to the channel."""
    try:
        text = delivery.arguments["text"]
        post(f"{text}: {classify(text)}")
    except Exception as error:  # after any error the worker goes on with other messages
        print(f"put aside: {error!r}")
        delivery.reject()
    else:
        delivery.ack()


with connect() as connection:
    connection.channel().queue_declare("posts.dead", durable=True)

consume("posts", classify_post, arguments=LIMITED)
