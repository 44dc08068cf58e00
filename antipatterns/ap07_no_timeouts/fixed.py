"""Timeouts: no task waits longer than is useful, and the next task has its turn."""

import os

from celery import Celery

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}", timeout=1.0)
