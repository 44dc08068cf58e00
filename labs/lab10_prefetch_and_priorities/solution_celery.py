"""Lab 10, Prefetch and priorities. An urgent post comes while a worker is busy and ordinary ones wait."""

import os

from celery import Celery
from kombu import Queue

from experiments.messenger import post
from labs.lab10_prefetch_and_priorities.video import convert

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    task_queues=[Queue("posts", max_priority=9)],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post and its video in the channel."""
    convert(text)
    post(text)


def submit(text: str, urgent: bool) -> None:
    """Submit a post for publication."""
    publish_post.apply_async([text], priority=9 if urgent else 0)
