"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds from one bot. If it gets more, it bans the bot."""

import os

from redis import Redis

from experiments.messenger import post
from labs.consuming import Delivery, connect, consume
from labs.lab12_rate_limits.sheet import write_sheet

POSTS, SECONDS = 5, 2
PAUSE = 0.2  # seconds after which a waiting post asks again

redis = Redis.from_url(os.environ["REDIS_URL"])


def may_post() -> bool:
    """Take a place, and return whether one was free. Each place is free again SECONDS after it was taken."""
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

# All messages wait equally long. So the message at the queue's head is the next one to expire.
with connect() as connection:
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts", "x-message-ttl": round(PAUSE * 1000)}
    connection.channel().queue_declare("posts.wait", durable=True, arguments=back)

waits = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts.wait"}
consume("posts", lambda delivery: JOBS[delivery.job](delivery), arguments=waits)
