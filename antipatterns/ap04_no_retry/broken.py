"""External calls without retry: the messenger has a bad second, and the post is gone for good."""

import os

from celery import Celery

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])


@app.task(name="publish_post")  # antipattern: no-retry
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}")
