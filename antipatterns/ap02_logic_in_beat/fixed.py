"""Beat only says when: a worker does the work, and it may take long, die, and be replaced."""

import os

from celery import Celery

from experiments.evidence import hold

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    beat_schedule={
        "sync_channels": {"task": "sync_channels", "schedule": 2.0},
        "health_check": {"task": "health_check", "schedule": 0.5},
    },
    beat_max_loop_interval=0.5,
)


@app.task(name="sync_channels")
def sync_channels() -> None:
    """Write the channels into their sheet. This time Google takes long to answer."""
    hold("the sheet")


@app.task(name="health_check")
def health_check() -> None:
    """Say that all is well."""
