"""Lab 15, Deploy. Every new version begins with SIGTERM, a grace time and SIGKILL."""

import os

from celery import Celery

from labs.lab15_deploy.publishing import publish

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
# TODO 1: if a job is not done when SIGKILL comes, the next worker does it.
# TODO 2: a worker that is about to end holds no job except the one at work.


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    publish(text)
