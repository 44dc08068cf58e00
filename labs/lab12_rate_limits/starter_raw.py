"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds, whoever sends them; for more it bans the bot."""

import time
from collections import deque

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab12_rate_limits.sheet import write_sheet

POSTS, SECONDS = 5, 2

last: deque[float] = deque(maxlen=POSTS)  # when the last ones were made


# TODO 1: all workers together make at most 5 posts in any 2 seconds. What they have in common is Redis, at REDIS_URL.
def may_post() -> bool:
    """Count a post, if it may be made now."""
    now = time.monotonic()
    if len(last) == POSTS and now - last[0] < SECONDS:
        return False
    last.append(now)
    return True


# TODO 2: a post that has to wait is not lost, and does not hold its worker: other jobs have their turn meanwhile. It
#         can wait in a queue nobody consumes, as in lab 6.
def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    while not may_post():
        time.sleep(0.05)
    post(delivery.arguments["text"])
    delivery.ack()


def sync_sheet(delivery: Delivery) -> None:
    """Write the sheet."""
    write_sheet()
    delivery.ack()


JOBS = {"publish_post": publish_post, "sync_sheet": sync_sheet}

consume("posts", lambda delivery: JOBS[delivery.job](delivery))
