"""A queue of its own: what the web server has promised lies with the broker, whoever dies."""

import os

from celery import Celery
from fastapi import FastAPI

from experiments.evidence import hold
from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
web = FastAPI()


@app.task(name="publish_post", acks_late=True, reject_on_worker_lost=True)
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    hold("before the post")
    post(f"Post {number}")


@web.post("/posts/{number}")
def submit(number: int) -> dict[str, str]:
    """Take a post in; it is published later."""
    publish_post.delay(number)
    return {"status": "accepted"}
