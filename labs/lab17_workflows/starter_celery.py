"""Lab 17, Workflows. Classify a post, extract price and mileage, describe the car when both are there."""

import os

from celery import Celery

from labs.lab17_workflows.steps import PARTS, classify, describe, extract

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_acks_late = True
app.conf.worker_prefetch_multiplier = 1


@app.task(name="classify_post")
def classify_post(text: str) -> None:
    """Ask whether a car is for sale."""
    classify(text)


@app.task(name="extract_price")
def extract_price(text: str) -> str:
    """Find the price."""
    return extract("price", text)


@app.task(name="extract_mileage")
def extract_mileage(text: str) -> str:
    """Find the mileage."""
    return extract("mileage", text)


@app.task(name="describe_post")
def describe_post(parts: list[str], text: str) -> None:
    """Publish the description."""
    describe(text, dict(zip(PARTS, parts, strict=True)))


# TODO 1: no task waits for another one. Say which task follows which, and let Celery send them.
# TODO 2: the description is written once, when both parts are there.
@app.task(name="process_post")
def process_post(text: str) -> None:
    """Do all steps for one post."""
    classify_post.delay(text).get(disable_sync_subtasks=False)
    parts = [extract_price.delay(text), extract_mileage.delay(text)]
    describe_post.delay([part.get(disable_sync_subtasks=False) for part in parts], text)
