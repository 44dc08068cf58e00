"""Async clients in tasks: the client keeps a connection of an event loop that is closed when the task ends."""

import asyncio
import os

import httpx
from celery import Celery

from experiments.messenger import request

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
client = httpx.AsyncClient(trust_env=False)


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    asyncio.run(client.post(**request(f"Post {number}")))  # antipattern: async-client
