"""Check-then-act idempotency: a copy asks the same question before the first one has noted that it is done."""

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
    if database.execute("SELECT 1 FROM published WHERE post = ?", [number]).fetchone():  # antipattern: check-then-act
        return
    hold("before the post")
    post(f"Post {number}")
    database.execute("INSERT OR IGNORE INTO published VALUES (?)", [number])
