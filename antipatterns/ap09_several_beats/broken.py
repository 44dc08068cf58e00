"""Several Beats: each believes it is the only one, and every tick comes as often as there are Beats."""

import os

from celery import Celery
from celery.beat import PersistentScheduler

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    beat_schedule={"sync_channels": {"task": "sync_channels", "schedule": 1.0}},
    beat_max_loop_interval=0.25,
    beat_scheduler=PersistentScheduler,  # antipattern: several-beats
)


@app.task(name="sync_channels")
def sync_channels() -> None:
    """Write the channels into their sheet."""
