"""Lab 6, Retries. The messenger has bad moments, and some posts it will never take."""

import os

from celery import Celery

from experiments.messenger import Passing, Refused, post  # noqa: F401 - what the messenger may answer

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: have Celery try again what may pass (Passing), and leave alone what never will (Refused).
# TODO 2: wait longer from one try to the next, starting with a second, not always equally long; at most five retries.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)
