"""Returning huge data: every result lies in Redis for a day, and travels whole to whoever asks for it."""

import os
from pathlib import Path

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
REPORTS = Path(os.environ["DATABASE"]).parent


@app.task(name="make_report")
def make_report(channel: int) -> str:
    """Put together everything that was ever posted in a channel: ten megabytes."""
    return "A car for sale. " * 655_360  # antipattern: huge-results
