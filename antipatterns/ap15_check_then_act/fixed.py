"""Claim, then act: the question and the note are one statement, so only one of two copies may act."""

import os
import sqlite3

from celery import Celery

from experiments.evidence import hold
from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])


@app.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel, unless that was done already."""
    database = sqlite3.connect(os.environ["DATABASE"], isolation_level=None)
    if not database.execute("INSERT OR IGNORE INTO published VALUES (?)", [number]).rowcount:
        return
    hold("before the post")
    post(f"Post {number}")
