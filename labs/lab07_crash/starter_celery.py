"""Lab 7, Crash. A worker may die in the middle of a job. One of its children may die alone."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab07_crash.picture import render

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: the broker keeps the message until the work is done, so that another worker can get it.
# TODO 2: if only the child is killed and the worker lives on, the work is not done either.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post and its picture in the channel."""
    render(text)
    post(text)
