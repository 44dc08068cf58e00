"""A chain: Celery sends the first task's result on to the second, and nobody waits."""

import os

from celery import Celery, chain

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
    chain(classify_post.s(text), describe_post.s()).delay()
