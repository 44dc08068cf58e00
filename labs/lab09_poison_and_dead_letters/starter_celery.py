"""Lab 9, Poison and dead letters. Some messages kill whoever works on them, some fail, some cannot be read."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab09_poison_and_dead_letters.classifier import classify

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_native_delayed_delivery_queue_type="classic",  # for a queue of another type Celery makes 28 of these
)

# TODO 1: a message that kills the process each time is handed out three times at most; then it is in "posts.dead".
# TODO 2: what fails is in "posts.dead" as well, not gone.
# TODO 3: and so is what cannot be read. Celery acknowledges that, in Consumer.on_decode_error.


@app.task(name="classify_post")
def classify_post(text: str) -> None:
    """Find out what a post is about, and tell the channel."""
    post(f"{text}: {classify(text)}")
