"""Lab 10, Prefetch and priorities. An urgent post comes while a worker is busy and ordinary ones wait."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab10_prefetch_and_priorities.video import convert

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_default_queue="posts")

# TODO 1: a busy worker takes no message that it cannot begin at once.
# TODO 2: the queue has priorities from 0 to 9.


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post and its video in the channel."""
    convert(text)
    post(text)


# TODO 3: an urgent post comes before all posts that wait.
def submit(text: str, urgent: bool) -> None:
    """Submit a post for publication."""
    publish_post.delay(text)
