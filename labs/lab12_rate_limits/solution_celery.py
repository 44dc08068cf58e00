"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds from one bot. If it gets more, it bans the bot."""

import os

from celery import Celery, Task
from redis import Redis

from experiments.messenger import post
from labs.lab12_rate_limits.sheet import write_sheet

POSTS, SECONDS = 5, 2
PAUSE = 0.2  # seconds after which a waiting post asks again

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
redis = Redis.from_url(os.environ["REDIS_URL"])


def may_post() -> bool:
    """Take a place, and return whether one was free. Each place is free again SECONDS after it was taken."""
    return any(redis.set(f"posting:{place}", "taken", nx=True, px=SECONDS * 1000) for place in range(POSTS))


@app.task(name="publish_post", bind=True, max_retries=None)
def publish_post(self: Task, text: str) -> None:
    """Publish a post in the channel, now or later."""
    if not may_post():
        raise self.retry(countdown=PAUSE)
    post(text)


@app.task(name="sync_sheet")
def sync_sheet() -> None:
    """Write the sheet."""
    write_sheet()
