"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers one byte at a time."""

import os

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

from experiments.messenger import Passing, Refused, post
from labs.lab11_timeouts.book import record

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


@app.task(name="publish_post", soft_time_limit=2, time_limit=3)
def publish_post(text: str) -> None:
    """Publish a post in the channel, and record the outcome."""
    try:
        post(text, timeout=1)
    except Refused:
        outcome = "failed"
    except (Passing, SoftTimeLimitExceeded):
        outcome = "unknown"  # they may have published it before they fell silent
    else:
        outcome = "done"
    record(text, outcome)
