"""Logging: every line has a level, and the name and id of the task that wrote it."""

import os

from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
log = get_task_logger(__name__)


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    log.info("post %s is published", number)
    log.error("post %s has no picture", number)
