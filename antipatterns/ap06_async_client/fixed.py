"""Sync clients in tasks: the worker does one thing at a time, and so does its client."""

import os

import httpx
from celery import Celery

from experiments.messenger import request

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
client = httpx.Client(trust_env=False)


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    client.post(**request(f"Post {number}"))
