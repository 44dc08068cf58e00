"""Lab 9, Poison and dead letters. Some messages kill their worker, some fail, and some are unreadable."""

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab09_poison_and_dead_letters.classifier import classify


# TODO 1: a message that kills the process each time is delivered three times at most; then it is in "posts.dead".
# TODO 2: a message whose job fails is in "posts.dead" as well, and not lost. The worker lives on.
# TODO 3: an unreadable message is in "posts.dead", too.
def classify_post(delivery: Delivery) -> None:
    """Classify a post, and post its category to the channel."""
    text = delivery.arguments["text"]
    post(f"{text}: {classify(text)}")
    delivery.ack()


consume("posts", classify_post)
