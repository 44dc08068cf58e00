"""Lab 16, Redis or RabbitMQ. One program, two brokers; BROKER_URL says which."""

import os

from celery import Celery
from kombu import Queue

from labs.lab16_redis_or_rabbitmq.effect import effect
from labs.lab16_redis_or_rabbitmq.words import ASIDE, FIRST, LAST, LOST, NEXT, ONCE, TWICE

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", queue_arguments={"x-max-priority": 9})]  # Redis has no use for the argument
app.conf.worker_prefetch_multiplier = 1
if seconds := os.environ.get("VISIBILITY_TIMEOUT"):  # Redis: an hour unless told
    app.conf.broker_transport_options = {
        "visibility_timeout": int(seconds), "unacked_restore_interval": 1, "unacked_restore_throttle": 1
    }  # fmt: skip


@app.task(name="publish_post", acks_late=True)
def publish_post(text: str) -> None:
    """Publish a post in the channel; acknowledged when it is done."""
    effect(text)


@app.task(name="sync_sheet", acks_late=False)
def sync_sheet(text: str) -> None:
    """Bring a sheet up to date; acknowledged when it is begun."""
    effect(text)


def answers() -> dict[str, dict[str, str]]:
    """What becomes of a job, on either broker."""
    return {
        # A worker is killed at work; another one is started and comes to the end of the queue.
        "killed, early ack": {"rabbitmq": LOST, "redis": LOST},
        "killed, late ack": {"rabbitmq": NEXT, "redis": ASIDE},
        # One job of priority 9 waits behind three of priority 0.
        "priority 9 among 0": {"rabbitmq": FIRST, "redis": LAST},
        # A job is at work, late ack, for longer than another worker's visibility timeout.
        "longer than the visibility timeout": {"rabbitmq": ONCE, "redis": TWICE},
    }
