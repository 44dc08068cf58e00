"""An exchange that copies: each service has a queue of its own, and gets each event, also later."""

import os
import sys

from celery import Celery
from kombu import Exchange, Queue

from experiments.evidence import note

SERVICE = os.environ.get("SERVICE", "analytics")
EVENTS = Exchange("events", type="fanout")
app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_queues = [Queue(SERVICE, EVENTS)]


@app.task(name="post_published")
def post_published(number: int) -> None:
    """React to a published post; each service does it in its own way."""
    note("heard", service=SERVICE, post=number)


if __name__ == "__main__":  # the publisher announces these posts
    for each in range(int(sys.argv[1]), int(sys.argv[2])):
        post_published.apply_async([each], exchange="events", routing_key="post")
