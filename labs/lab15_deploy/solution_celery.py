"""Lab 15, Deploy. Every new version begins with SIGTERM, a grace time and SIGKILL."""

import os

from celery import Celery

from labs.lab15_deploy.publishing import publish

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True  # with processes instead of threads: SIGKILL may end a child alone
app.conf.worker_prefetch_multiplier = 1


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    publish(text)
