"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds from one bot. If it gets more, it bans the bot."""

import time
from collections import deque

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab12_rate_limits.sheet import write_sheet

POSTS, SECONDS = 5, 2

last: deque[float] = deque(maxlen=POSTS)  # the times of the last posts


# TODO 1: all workers together send at most 5 posts in any 2 seconds. They share Redis, at REDIS_URL.
def may_post() -> bool:
    """Return whether a post may be sent now. If it may, count it."""
    now = time.monotonic()
    if len(last) == POSTS and now - last[0] < SECONDS:
        return False
    last.append(now)
    return True


# TODO 2: a post that must wait is not lost, and it does not hold its worker. The worker does other jobs meanwhile.
#         The post can wait in a queue without consumers, as in lab 6.
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
