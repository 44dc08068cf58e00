"""One Beat at a time: a lock that expires decides whose turn it is; who does not hold it, waits."""

import os

import redis
from celery import Celery
from celery.beat import PersistentScheduler

lock = redis.Redis.from_url(os.environ["REDIS_URL"]).lock("beat", timeout=2, blocking=False)


class OneAtATime(PersistentScheduler):
    """Ticks only while it holds the lock."""

    def tick(self, *arguments, **more):
        """Seconds until the next tick."""
        mine = lock.reacquire() if lock.owned() else lock.acquire()
        return super().tick(*arguments, **more) if mine else 0.25


app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    beat_schedule={"sync_channels": {"task": "sync_channels", "schedule": 0.25}},
    beat_max_loop_interval=0.25,
    beat_scheduler=OneAtATime,
)


@app.task(name="sync_channels")
def sync_channels() -> None:
    """Write the channels into their sheet."""
