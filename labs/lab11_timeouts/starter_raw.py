"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers one byte at a time."""

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, consume
from labs.lab11_timeouts.book import record


# TODO 1: a post holds its worker for at most 3 seconds, whatever the messenger does. Then the next post comes. You
#         cannot stop a thread from outside, but you can stop a process. Let a child publish the post, and kill it
#         when its time is over.
# TODO 2: record "done" or "failed" if the messenger has said so, and "unknown" if it has not.
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel, and record the outcome."""
    text = delivery.arguments["text"]
    try:
        post(text, timeout=None)
    except (Passing, Refused):
        record(text, "failed")
    else:
        record(text, "done")
    delivery.ack()


consume("posts", publish_post)
