"""Lab 5, Honest status. A page submits posts, and later asks for their status."""

import os
from typing import Any

from celery import Celery
from celery.result import AsyncResult

from labs.lab05_honest_status import rows  # noqa: F401 - the page's database: accept, change, status_of
from labs.lab05_honest_status.job import publish

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_transport_options = {"confirm_publish": True}
MEANING = {"PENDING": "queued", "STARTED": "running", "SUCCESS": "done", "FAILURE": "failed"}


# TODO 2: write down when the job begins, and how it ends.
@app.task(name="publish_post", bind=True)
def publish_post(self: Any, text: str) -> None:
    """Publish a post in the channel; `self.request.id` is the message's id."""
    publish(text)


# TODO 1: write down that a post is submitted, before a worker can see it.
def submit(text: str) -> str:
    """Submit a post for publication, and return its id."""
    return str(publish_post.delay(text).id)


# TODO 3: return the true status. Return "unknown" only for an id that was never submitted.
def status(post_id: str) -> str:
    """Return a post's status: "unknown", "queued", "running", "done" or "failed"."""
    return MEANING[AsyncResult(post_id, app=app).state]
