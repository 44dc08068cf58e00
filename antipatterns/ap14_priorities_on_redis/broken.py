"""Priorities upside down on Redis: 9 is the highest on RabbitMQ, and the lowest here."""

import os

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)
URGENT, ORDINARY = 9, 0  # antipattern: priorities-on-redis


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""


if __name__ == "__main__":
    for each in range(1, 6):
        publish_post.apply_async([each], priority=ORDINARY)
    publish_post.apply_async([100], priority=URGENT)
