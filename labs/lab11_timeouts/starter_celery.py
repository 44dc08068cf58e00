"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers one byte at a time."""

import os

from celery import Celery

from experiments.messenger import Passing, Refused, post
from labs.lab11_timeouts.book import record

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: a post holds its worker for at most 3 seconds, whatever the messenger does. Then the next post comes.
# TODO 2: record "done" or "failed" if the messenger has said so, and "unknown" if it has not.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel, and record the outcome."""
    try:
        post(text, timeout=None)
    except (Passing, Refused):
        record(text, "failed")
    else:
        record(text, "done")
