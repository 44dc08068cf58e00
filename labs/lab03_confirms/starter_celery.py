"""Lab 3, Confirms. `publish` hands posts to the broker, and returns those that are certainly in the queue."""

import os

from celery import Celery
from kombu import Queue

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", no_declare=True)]  # the deployment creates the queues, not the publisher


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)


# TODO 1: count a post as accepted only if the broker says so. The broker says no if the queue is full.
# TODO 2: do not count a post that reached no queue. Somebody may have deleted the queue.
def publish(texts: list[str]) -> list[str]:
    """Put the posts into the queue "posts", and return those that are safely in it."""
    accepted = []
    for text in texts:
        publish_post.apply_async((text,))
        accepted.append(text)
    return accepted
