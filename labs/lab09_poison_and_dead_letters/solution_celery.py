"""Lab 9, Poison and dead letters. Some messages kill their worker, some fail, and some are unreadable."""

import logging
import os
from typing import Any

from celery import Celery
from celery.worker.consumer import Consumer
from kombu import Queue

from experiments.messenger import post
from labs.lab09_poison_and_dead_letters.classifier import classify

log = logging.getLogger(__name__)

LIMITED = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 2,  # times that a message may come back
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": "posts.dead",
}

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    task_queues=[Queue("posts", queue_arguments=LIMITED)],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=False,
    worker_consumer=f"{__name__}:CarefulConsumer",
    broker_native_delayed_delivery_queue_type="classic",  # a quorum queue makes Celery add 28 queues of this type
)


class CarefulConsumer(Consumer):
    """Celery's consumer, with one change: an unreadable message becomes a dead letter."""

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Reject the message, where Celery would acknowledge it."""
        log.error("put aside: %r", exc)
        message.reject_log_error(log, self.connection_errors)


with app.connection_for_write() as connection:
    Queue("posts.dead").bind(connection.default_channel).declare()


@app.task(name="classify_post")
def classify_post(text: str) -> None:
    """Classify a post, and post its category to the channel."""
    post(f"{text}: {classify(text)}")
