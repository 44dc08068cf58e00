"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers a byte at a time."""

import os

from celery import Celery

from experiments.messenger import Passing, Refused, post
from labs.lab11_timeouts.book import record

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: whatever the messenger does, a post takes its worker 3 seconds at most, and the next one has its turn.
# TODO 2: record "done" or "failed" where the messenger has said so, and "unknown" where it has not.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel, and record what became of it."""
    try:
        post(text, timeout=None)
    except (Passing, Refused):
        record(text, "failed")
    else:
        record(text, "done")
