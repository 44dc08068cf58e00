"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers a byte at a time."""

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, consume
from labs.lab11_timeouts.book import record


# TODO 1: whatever the messenger does, a post takes its worker 3 seconds at most, and the next one has its turn. A
#         thread cannot be stopped from outside, a process can: let a child do it, and kill it when its time is over.
# TODO 2: record "done" or "failed" where the messenger has said so, and "unknown" where it has not.
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel, and record what became of it."""
    text = delivery.arguments["text"]
    try:
        post(text, timeout=None)
    except (Passing, Refused):
        record(text, "failed")
    else:
        record(text, "done")
    delivery.ack()


consume("posts", publish_post)
