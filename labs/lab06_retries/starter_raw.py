"""Lab 6, Retries. The messenger has bad moments, and some posts it will never take."""

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, consume


# TODO 1: leave alone what the messenger will never take (Refused), and try again what may pass (Passing).
# TODO 2: wait longer from one try to the next, starting with a second, not always equally long. Nobody sleeps: let
#         the message wait in a queue nobody consumes, whose dead letters come back to "posts".
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    try:
        post(delivery.arguments["text"])
    except (Passing, Refused):
        delivery.reject(requeue=True)
    else:
        delivery.ack()


consume("posts", publish_post, prefetch=10, threads=10)
