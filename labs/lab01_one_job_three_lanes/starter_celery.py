"""Lab 1, One job, three lanes. A web page calls `submit` for each post. Its visitor waits until `submit` returns."""

import os

from celery import Celery

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text, timeout=None)


# TODO 1: `submit` only hands the job over, and the visitor waits no longer than that. A worker does the job.
def submit(text: str) -> str:
    """Submit a post for publication, and return "accepted"."""
    publish_post(text)
    return "accepted"
