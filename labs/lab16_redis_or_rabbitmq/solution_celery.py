"""Lab 16, Redis or RabbitMQ. One program, two brokers. BROKER_URL says which one to use."""

import os

from celery import Celery
from kombu import Queue

from labs.lab16_redis_or_rabbitmq.effect import effect
from labs.lab16_redis_or_rabbitmq.words import ASIDE, FIRST, LAST, LOST, NEXT, ONCE, TWICE

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", queue_arguments={"x-max-priority": 9})]  # Redis ignores the argument
app.conf.worker_prefetch_multiplier = 1
if seconds := os.environ.get("VISIBILITY_TIMEOUT"):  # on Redis; an hour by default
    app.conf.broker_transport_options = {
        "visibility_timeout": int(seconds), "unacked_restore_interval": 1, "unacked_restore_throttle": 1
    }  # fmt: skip


@app.task(name="publish_post", acks_late=True)
def publish_post(text: str) -> None:
    """Publish a post in the channel. The message is acknowledged when the job is done."""
    effect(text)


@app.task(name="sync_sheet", acks_late=False)
def sync_sheet(text: str) -> None:
    """Bring a sheet up to date. The message is acknowledged when the job begins."""
    effect(text)


def answers() -> dict[str, dict[str, str]]:
    """Return what happens to a job on each broker."""
    return {
        # A worker is killed at work. Another one is started and empties the queue.
        "killed, early ack": {"rabbitmq": LOST, "redis": LOST},
        "killed, late ack": {"rabbitmq": NEXT, "redis": ASIDE},
        # One job of priority 9 waits behind three of priority 0.
        "priority 9 among 0": {"rabbitmq": FIRST, "redis": LAST},
        # A job with late ack is at work for longer than another worker's visibility timeout.
        "longer than the visibility timeout": {"rabbitmq": ONCE, "redis": TWICE},
    }
