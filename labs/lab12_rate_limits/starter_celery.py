"""Lab 12, Rate limits. The messenger takes 5 posts in any 2 seconds from one bot. If it gets more, it bans the bot."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab12_rate_limits.sheet import write_sheet

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: all workers together send at most 5 posts in any 2 seconds. They share Redis, at REDIS_URL.
# TODO 2: a post that must wait is not lost, and it does not hold its worker. The worker does other jobs meanwhile.
@app.task(name="publish_post", rate_limit="150/m")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)


@app.task(name="sync_sheet")
def sync_sheet() -> None:
    """Write the sheet."""
    write_sheet()
