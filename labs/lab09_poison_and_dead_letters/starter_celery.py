"""Lab 9, Poison and dead letters. Some messages kill their worker, some fail, and some are unreadable."""

import os

from celery import Celery

from experiments.messenger import post
from labs.lab09_poison_and_dead_letters.classifier import classify

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_native_delayed_delivery_queue_type="classic",  # a quorum queue makes Celery add 28 queues of this type
)

# TODO 1: a message that kills the process each time is delivered three times at most; then it is in "posts.dead".
# TODO 2: a message whose job fails is in "posts.dead" as well, and not lost.
# TODO 3: an unreadable message is there, too. By itself Celery acknowledges it, in Consumer.on_decode_error.


@app.task(name="classify_post")
def classify_post(text: str) -> None:
    """Classify a post, and post its category to the channel."""
    post(f"{text}: {classify(text)}")
