"""Stock Celery: a broker, a no-op task, and every setting as it comes. What the lanes are measured against."""

import os

from celery import Celery

app = Celery("stock", broker=os.environ["RMQ_URL"])


@app.task
def noop() -> None:
    """Do nothing."""
