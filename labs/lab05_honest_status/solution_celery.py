"""Lab 5, Honest status. A page submits posts, and later asks for their status."""

import os
import uuid
from typing import Any

from celery import Celery

from labs.lab05_honest_status import rows
from labs.lab05_honest_status.job import publish

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_transport_options = {"confirm_publish": True}


@app.task(name="publish_post", bind=True)
def publish_post(self: Any, text: str) -> None:
    """Publish a post in the channel; `self.request.id` is the message's id."""
    rows.change(self.request.id, "running")
    try:
        publish(text)
    except Exception:
        rows.change(self.request.id, "failed")
        raise
    rows.change(self.request.id, "done")


def submit(text: str) -> str:
    """Submit a post for publication, and return its id."""
    post_id = str(uuid.uuid4())
    rows.accept(post_id, text)
    publish_post.apply_async((text,), task_id=post_id)
    return post_id


def status(post_id: str) -> str:
    """Return a post's status: "unknown", "queued", "running", "done" or "failed"."""
    return rows.status_of(post_id) or "unknown"
