"""Lab 2, By hand. A job takes eight seconds; broker and worker give each other up after some seconds of silence."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab02_by_hand.pictures import draw

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_heartbeat = 2  # seconds; whoever is silent for two of them is taken for dead. Leave it as it is.
app.conf.task_acks_late = True  # a message is acknowledged when its job is done
app.conf.worker_prefetch_multiplier = 1
app.conf.worker_pool = "prefork"  # jobs run in child processes, this one serves the connection


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    draw(text)
    post(text)
