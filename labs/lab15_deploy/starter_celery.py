"""Lab 15, Deploy. SIGTERM, a time of grace, SIGKILL: that is how every new version begins."""

import os

from celery import Celery

from labs.lab15_deploy.publishing import publish

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
# TODO 1: a job that is not done when SIGKILL comes is done by the next worker.
# TODO 2: a worker that is about to end holds no job but the one at which it works.


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    publish(text)
