"""Lab 2, By hand. A job takes eight seconds. After some seconds of silence the broker takes a worker for dead."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab02_by_hand.pictures import draw

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_heartbeat = 2  # seconds; a side that is silent for two heartbeats counts as dead. Do not change it.
app.conf.task_acks_late = True  # acknowledge a message when its job is done
app.conf.worker_prefetch_multiplier = 1
# TODO 1: serve the connection while a job runs, so that the broker does not take this worker for dead.
app.conf.worker_pool = "solo"


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    draw(text)
    post(text)
