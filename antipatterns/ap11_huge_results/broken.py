"""Returning huge data: every result stays in Redis for a day, and each client that asks gets all of it."""

import os
from pathlib import Path

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
REPORTS = Path(os.environ["DATABASE"]).parent


@app.task(name="make_report")
def make_report(channel: int) -> str:
    """Put together everything that was ever posted in a channel: ten megabytes."""
    return "A car for sale. " * 655_360  # antipattern: huge-results
