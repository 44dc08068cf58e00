"""print instead of logging: the lines are there, but nobody can tell their task or their level."""

import os

from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
log = get_task_logger(__name__)


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    print("post", number, "is published")  # antipattern: print
    print("post", number, "has no picture")  # antipattern: print
