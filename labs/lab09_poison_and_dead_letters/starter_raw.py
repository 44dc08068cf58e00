"""Lab 9, Poison and dead letters. Some messages kill whoever works on them, some fail, some cannot be read."""

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab09_poison_and_dead_letters.classifier import classify


# TODO 1: a message that kills the process each time is handed out three times at most; then it is in "posts.dead".
# TODO 2: what fails is in "posts.dead" as well, not gone; and the worker lives on.
# TODO 3: and so is what cannot be read.
def classify_post(delivery: Delivery) -> None:
    """Find out what a post is about, and tell the channel."""
    text = delivery.arguments["text"]
    post(f"{text}: {classify(text)}")
    delivery.ack()


consume("posts", classify_post)
