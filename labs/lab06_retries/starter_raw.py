"""Lab 6, Retries. The messenger is sometimes down for a while. It will never take some posts."""

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, consume


# TODO 1: try again after a passing error (Passing), and not after a final one (Refused).
# TODO 2: begin with a pause of about a second, and lengthen it from try to try. Make it random. No thread sleeps: the
#         message waits in a queue without a consumer, and that queue's dead letters come back to "posts".
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    try:
        post(delivery.arguments["text"])
    except (Passing, Refused):
        delivery.reject(requeue=True)
    else:
        delivery.ack()


consume("posts", publish_post, prefetch=10, threads=10)
