"""Lab 1, One job, three lanes. A web page calls `submit` for each post, and its visitor waits until it returns."""

import os

from celery import Celery

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text, timeout=None)


def submit(text: str) -> str:
    """Have a post published; return "accepted"."""
    publish_post.delay(text)
    return "accepted"
