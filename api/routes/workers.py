"""GET /api/workers: the present work of each worker, in one shape for both lanes, and in bounded time.

The API asks Celery's workers over their broker, and they answer (`inspect()`). The hand-written workers write the same
facts into Redis, and the API reads them there. If the broker or Redis does not answer, a note says so.
"""

import asyncio
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cars_bot.boundary import for_celery
from cars_bot.processes import raw_worker_state
from cars_bot.settings import settings

SECONDS_TO_ANSWER = 1.0  # for Celery's workers; a worker without an answer by then is not in the list
PATIENCE = 2.5  # seconds for the whole answer

router = APIRouter(prefix="/api")


class Child(BaseModel):
    """A process that executes one job at a time. It is idle if `job` is null."""

    pid: int
    job: str | None = None
    run: str | None = None
    seconds: float | None = Field(default=None, description="Seconds since the job began.")


class Worker(BaseModel):
    """A worker that has reported its work."""

    lane: str
    name: str
    pid: int
    jobs_done: int = Field(description="Since the start of the worker; on the raw lane, by its present children only.")
    children: list[Child]


class Workers(BaseModel):
    """All workers with an answer. `notes` has the reason for each lane without one."""

    workers: list[Worker]
    notes: dict[str, str]


# feature: inspect/status
@cache
def _celery() -> Any:
    """Return a Celery application that knows the broker and no tasks. It needs none to ask the workers."""
    from celery import Celery  # not at the top: the import is slow, and the page must not wait for it

    app = Celery(set_as_current=False)
    app.conf.update(for_celery.connection(settings()))
    app.conf.broker_connection_timeout = SECONDS_TO_ANSWER
    # By default it tries to connect for ever.
    app.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0, "interval_max": 0}
    return app


def of_celery() -> list[Worker]:
    """Ask all workers for their numbers, then ask the workers that answered for their active tasks."""
    control = _celery().control
    stats = control.inspect(timeout=SECONDS_TO_ANSWER).stats() or {}
    if not stats:
        return []
    names = list(stats)
    active = control.inspect(names, timeout=SECONDS_TO_ANSWER, limit=len(names)).active() or {}
    return [_celery_worker(name, stats[name], active.get(name, [])) for name in sorted(names)]


def _celery_worker(name: str, stats: dict[str, Any], active: list[dict[str, Any]]) -> Worker:
    at_work = {task["worker_pid"]: task for task in active}

    def child(pid: int) -> Child:
        if (task := at_work.get(pid)) is None:
            return Child(pid=pid)
        began = task["time_start"] or time.time()
        return Child(pid=pid, job=task["name"], run=task["id"], seconds=round(max(0.0, time.time() - began), 1))

    children = [child(pid) for pid in stats["pool"].get("processes", [])]
    return Worker(lane="celery", name=name, pid=stats["pid"], jobs_done=sum(stats["total"].values()), children=children)


# end


def of_raw() -> list[Worker]:
    """Read the facts that the workers wrote into Redis within the last seconds."""
    return [
        Worker(
            lane="raw",
            name=said["worker"],
            pid=said["pid"],
            jobs_done=sum(child["jobs_done"] for child in said["children"]),
            children=[
                Child(pid=child["pid"], job=child["job"], run=child["run"], seconds=child["seconds"])
                for child in said["children"]
                if child["pid"]
            ],
        )
        for said in raw_worker_state.workers()
    ]


SOURCES: dict[str, Callable[[], list[Worker]]] = {"celery": of_celery, "raw": of_raw}
_asking: dict[str, asyncio.Task[list[Worker]]] = {}


@router.get("/workers", tags=["counts"], summary="Show what the workers are doing")
async def show_workers() -> Workers:
    """Return each worker that answers, with its children and their present runs."""
    answers = await asyncio.gather(*(_workers_or_reason(lane) for lane in SOURCES))
    found = Workers(workers=[], notes={})
    for lane, answer in zip(SOURCES, answers, strict=True):
        if isinstance(answer, str):
            found.notes[lane] = answer
        else:
            found.workers += answer
    return found


async def _workers_or_reason(lane: str) -> list[Worker] | str:
    """Return the lane's workers, or a reason. One question at a time: a frozen server must not hold many threads."""
    if lane not in _asking or _asking[lane].done():
        _asking[lane] = asyncio.create_task(run_in_threadpool(SOURCES[lane]))
    try:
        return await asyncio.wait_for(asyncio.shield(_asking[lane]), PATIENCE)
    except Exception as error:
        server = "Redis" if isinstance(error, redis.RedisError) or lane == "raw" else "Celery's broker"
        return f"{server} does not answer, so the work of the {lane} workers is unknown"
