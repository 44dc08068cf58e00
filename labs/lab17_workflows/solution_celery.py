"""Lab 17, Workflows. Classify a post, extract price and mileage, describe the car when both are there."""

import os

from celery import Celery, chain, group

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


@app.task(name="process_post")
def process_post(text: str) -> None:
    """Do all steps for one post."""
    parts = group(extract_price.si(text), extract_mileage.si(text))
    chain(classify_post.si(text), parts, describe_post.s(text)).delay()
