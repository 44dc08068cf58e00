"""External calls with retry: an error that may pass is tried again a little later, and no other."""

import os

from celery import Celery

from experiments.messenger import Passing, post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])


@app.task(name="publish_post", autoretry_for=(Passing,), retry_backoff=1, retry_backoff_max=2, max_retries=10)
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}")
