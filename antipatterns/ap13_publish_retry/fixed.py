"""Task-retry: the task itself asks for a retry; `retry=True` only repeats the sending to the broker."""

import os

from celery import Celery

from experiments.messenger import Passing, post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
OFTEN = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2}


@app.task(name="publish_post", autoretry_for=(Passing,), default_retry_delay=0.2)
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}")


if __name__ == "__main__":
    publish_post.apply_async([1], retry=True, retry_policy=OFTEN)
