"""Inspection: the jobs in the hands of each worker, for `kit inspect`.

Each worker's parent writes its children's jobs into Redis, once a second; `raw_worker_state.py` reads them. While Redis
is away, the jobs are unknown and the work continues.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from cars_bot.boundary import redis_client
from cars_bot.processes.raw_worker_state import KEPT_SECONDS, PREFIX
from cars_bot.settings import settings
from raw_consumer.child import Child

PATIENCE = 0.2  # seconds for Redis; the children's time limits wait as long


# feature: inspect/status
def reporter(name: str) -> Callable[[list[Child]], None]:
    """Return the function that writes the state of the children of the worker `name`."""
    client = redis_client.connect(settings().redis_url, PATIENCE)

    def report(children: list[Child]) -> None:
        state = {"worker": name, "pid": os.getpid(), "children": [_describe(child) for child in children]}
        with suppress(redis.RedisError):
            client.set(PREFIX + name, json.dumps(state), ex=KEPT_SECONDS)

    return report


def _describe(child: Child) -> dict[str, Any]:
    job_name, job = child.slot.job.decode(), child.in_hand()
    return {
        "name": child.name,
        "pid": child.pid,
        "jobs_done": child.slot.jobs_done,
        "job": job_name if job else None,
        "run": job.run_id if job else None,
        "seconds": round(time.monotonic() - job.began, 1) if job else None,
    }


# end
