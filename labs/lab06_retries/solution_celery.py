"""Lab 6, Retries. The messenger is sometimes down for a while. It will never take some posts."""

import os

from celery import Celery

from experiments.messenger import Passing, post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


@app.task(name="publish_post", autoretry_for=(Passing,), retry_backoff=1, retry_jitter=True, max_retries=5)
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)
