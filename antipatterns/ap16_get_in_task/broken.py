""".get() inside a task: the only worker waits for a task that only it can do."""

import os

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])


@app.task(name="classify_post")
def classify_post(text: str) -> bool:
    """Return whether a car is for sale."""
    return "km" in text


@app.task(name="describe_post")
def describe_post(is_sale: bool) -> str:
    """Return a description of the car, if there is one."""
    return "a car" if is_sale else "nothing for sale"


@app.task(name="process_post")
def process_post(text: str) -> None:
    """Classify a post and describe it."""
    is_sale = classify_post.delay(text).get(disable_sync_subtasks=False)  # antipattern: get-in-task
    describe_post.delay(is_sale)
