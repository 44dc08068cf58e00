"""Lab 13, Beat and delays. The sheet is written each second, and some posts are published later."""

import os
import time

from celery import Celery

from experiments.messenger import post
from labs.lab13_beat_and_delays.sheet import write_sheet

# TODO 1: two Beats run. When one is killed, the schedule goes on within five seconds. The sheet is still written once
#         each second. The two Beats share Redis, at REDIS_URL.
app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_default_queue="posts",
    beat_schedule={"sync_sheet": {"task": "sync_sheet", "schedule": 1.0}},
    beat_max_loop_interval=0.25,
)


@app.task(name="sync_sheet")
def sync_sheet() -> None:
    """Write the sheet."""
    write_sheet()


@app.task(name="publish_post")
def publish_post(text: str, seconds: int) -> None:
    """Publish a post in the channel after that many seconds."""
    time.sleep(seconds)
    post(text)


# TODO 2: a waiting post holds no worker. It is published in time even if the worker is killed meanwhile.
def later(text: str, seconds: int) -> None:
    """Submit a post for publication after that many seconds."""
    publish_post.delay(text, seconds)
