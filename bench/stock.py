"""Stock Celery: a broker, a no-op task, and default settings. The benchmark compares the lanes with it."""

import os

from celery import Celery

app = Celery("stock", broker=os.environ["RMQ_URL"])


@app.task
def noop() -> None:
    """Do nothing."""
