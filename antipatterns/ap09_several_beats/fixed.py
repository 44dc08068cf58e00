"""One tick for all Beats: a Beat claims it in Redis until the next is due, and a second Beat does not send it."""

import os

import redis
from celery import Celery
from celery.beat import PersistentScheduler
from celery.schedules import schedstate

ticks = redis.Redis.from_url(os.environ["REDIS_URL"])


class OneTickForAll(PersistentScheduler):
    """A tick is due when the last one, from any Beat, is an interval old."""

    def is_due(self, entry):
        left = ticks.pttl(entry.name)  # milliseconds
        return super().is_due(entry) if left < 0 else schedstate(False, left / 1000)

    def apply_entry(self, entry, producer=None):
        if ticks.set(entry.name, "claimed", px=entry.schedule.run_every, nx=True):
            super().apply_entry(entry, producer)


app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    beat_schedule={"sync_channels": {"task": "sync_channels", "schedule": 1.0}},
    beat_max_loop_interval=0.25,
    beat_scheduler=OneTickForAll,
)


@app.task(name="sync_channels")
def sync_channels() -> None:
    """Write the channels into their sheet."""
