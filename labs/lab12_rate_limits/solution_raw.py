"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds, whoever sends them; for more it bans the bot."""

import os

from redis import Redis

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab12_rate_limits.sheet import write_sheet

POSTS, SECONDS = 5, 2
PAUSE = 0.2  # seconds until a post that has to wait asks again

redis = Redis.from_url(os.environ["REDIS_URL"])


def may_post() -> bool:
    """Take one of the places, if any is free; each becomes free by itself when its time is over."""
    return any(redis.set(f"posting:{place}", "taken", nx=True, px=SECONDS * 1000) for place in range(POSTS))


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel, now or later."""
    if not may_post():
        delivery.reject()  # to posts.wait, and from there back
        return
    post(delivery.arguments["text"])
    delivery.ack()


def sync_sheet(delivery: Delivery) -> None:
    """Write the sheet."""
    write_sheet()
    delivery.ack()


JOBS = {"publish_post": publish_post, "sync_sheet": sync_sheet}

# All wait equally long, so whoever is at the queue's head is the next whose time is over.
with connect() as connection:
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts", "x-message-ttl": round(PAUSE * 1000)}
    connection.channel().queue_declare("posts.wait", durable=True, arguments=back)

waits = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts.wait"}
consume("posts", lambda delivery: JOBS[delivery.job](delivery), arguments=waits)
