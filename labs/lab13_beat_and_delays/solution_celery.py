"""Lab 13, Beat and delays. The sheet is written each second, and some posts are published later."""

import os
import time
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from redis import Redis

from experiments.messenger import post
from labs.lab13_beat_and_delays.sheet import write_sheet

redis = Redis.from_url(os.environ["REDIS_URL"])


class OncePerSecond(PersistentScheduler):
    """Beat that runs beside others. The first Beat that comes to a second sends its task."""

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send the task of an entry that is due, if no other Beat has sent it."""
        second = int(time.time())
        if redis.set(f"{entry.name}:{second}", "taken", nx=True, ex=60):
            super().apply_entry(entry, producer=producer)


app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    beat_schedule={"sync_sheet": {"task": "sync_sheet", "schedule": 1.0}},
    beat_max_loop_interval=0.25,
    beat_scheduler=OncePerSecond,
)


@app.task(name="sync_sheet")
def sync_sheet() -> None:
    """Write the sheet."""
    write_sheet()


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)


def later(text: str, seconds: int) -> None:
    """Submit a post for publication after that many seconds."""
    publish_post.apply_async((text,), countdown=seconds)
