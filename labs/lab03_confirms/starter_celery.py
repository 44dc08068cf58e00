"""Lab 3, Confirms. `publish` hands posts to the broker and says which of them it has surely taken."""

import os

from celery import Celery
from kombu import Queue

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", no_declare=True)]  # queues are made by whoever deploys, not by who publishes


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)


# TODO 1: a post counts as accepted when the broker has said so, and not when it says no: its queue may be full.
# TODO 2: a post that reached no queue does not count: somebody may have deleted the queue.
def publish(texts: list[str]) -> list[str]:
    """Put the posts into the queue "posts"; return those that are safely in it."""
    accepted = []
    for text in texts:
        publish_post.apply_async((text,))
        accepted.append(text)
    return accepted
