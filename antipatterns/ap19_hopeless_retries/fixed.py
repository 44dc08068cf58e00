"""Retrying after an error that may pass: the messenger's "no" is a final answer."""

import os

from celery import Celery

from experiments.messenger import Passing, post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
WORTH_IT = (Passing,)


@app.task(name="publish_post", autoretry_for=WORTH_IT, default_retry_delay=0.2, max_retries=5)
def publish_post(number: int, words: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}: " + "word " * words)
