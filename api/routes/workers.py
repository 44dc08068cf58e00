"""What each worker is doing, in one shape for both lanes, and in bounded time.

Celery's workers are asked over their broker and answer by themselves: `inspect()`. The hand-written ones write it into
Redis, where it is read. Where neither can be had, a sentence says that nothing is known.
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
from cars_bot.processes import presence
from cars_bot.settings import settings

SECONDS_TO_ANSWER = 1.0  # for Celery's workers: who has not answered by then is not in the list
PATIENCE = 2.5  # seconds for everything

router = APIRouter(prefix="/api")


class Child(BaseModel):
    """A process that runs jobs, one at a time; idle if `job` is null."""

    pid: int
    job: str | None = None
    run: str | None = None
    seconds: float | None = Field(default=None, description="How long it has been at it.")


class Worker(BaseModel):
    """A worker that has said what it does."""

    lane: str
    name: str
    pid: int
    jobs_done: int = Field(description="Since it started; on the raw lane, by the children it has now.")
    children: list[Child]


class Workers(BaseModel):
    """All workers that are heard of. `notes` says of a lane why nothing is known."""

    workers: list[Worker]
    notes: dict[str, str]


# feature: inspect/status
@cache
def _celery() -> Any:
    """An application that knows the broker and no tasks: the workers know theirs."""
    from celery import Celery  # not at the top: it takes a while, and the page shall be there sooner

    app = Celery(set_as_current=False)
    app.conf.update(for_celery.connection(settings()))
    app.conf.broker_connection_timeout = SECONDS_TO_ANSWER
    # By default it goes on trying to connect for ever.
    app.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0, "interval_max": 0}
    return app


def of_celery() -> list[Worker]:
    """Ask all for their numbers, then those who answered for what they are at."""
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
    """Read what they wrote down within the last seconds."""
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
        for said in presence.workers()
    ]


ASK: dict[str, Callable[[], list[Worker]]] = {"celery": of_celery, "raw": of_raw}
_asking: dict[str, asyncio.Task[list[Worker]]] = {}


@router.get("/workers", tags=["counts"], summary="Show what the workers are doing")
async def show_workers() -> Workers:
    """Each worker that is heard of, with its children and the runs they are at."""
    answers = await asyncio.gather(*(_ask(lane) for lane in ASK))
    found = Workers(workers=[], notes={})
    for lane, answer in zip(ASK, answers, strict=True):
        if isinstance(answer, str):
            found.notes[lane] = answer
        else:
            found.workers += answer
    return found


async def _ask(lane: str) -> list[Worker] | str:
    """The lane's workers, or why nothing is known. One question at a time: a frozen server shall not gather threads."""
    if lane not in _asking or _asking[lane].done():
        _asking[lane] = asyncio.create_task(run_in_threadpool(ASK[lane]))
    try:
        return await asyncio.wait_for(asyncio.shield(_asking[lane]), PATIENCE)
    except Exception as error:
        server = "Redis" if isinstance(error, redis.RedisError) or lane == "raw" else "Celery's broker"
        return f"{server} does not answer, so nothing is known of what the {lane} workers are doing"
