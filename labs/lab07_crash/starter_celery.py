"""Lab 7, Crash. A worker may die in the middle of a job, and so may one of its children."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab07_crash.picture import render

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: the broker keeps the message until the work is done, so that another worker can have it.
# TODO 2: nor is the work done when the child that did it was killed and only the worker is left.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post and its picture in the channel."""
    render(text)
    post(text)
