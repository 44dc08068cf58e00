"""Lab 7, Crash. A worker may die in the middle of a job. One of its children may die alone."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab07_crash.picture import render

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


@app.task(name="publish_post", acks_late=True, reject_on_worker_lost=True)
def publish_post(text: str) -> None:
    """Publish a post and its picture in the channel."""
    render(text)
    post(text)
