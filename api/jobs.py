"""The JSON API's heart: submit a job, list runs, show one, wait for its end, cancel, retry. `/docs` shows all of it.

    curl --json '{"job": "process_task", "lane": "raw", "args": {"task_num": 1, "timeout": 2}}' localhost:8080/api/runs
    curl 'localhost:8080/api/runs/<id>?wait=30'

Routes only translate between HTTP and `submission.py`, `timeline.py` and the runs table; `overview.py` has the others.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import lanes, relay, submission, timeline
from api.errors import problems
from api.schemas import (
    RUN_ID,
    Lane,
    RunPage,
    RunShown,
    State,
    Submission,
    Submitted,
    Timeline,
    shown,
)
from cars_bot import database, run_lists
from cars_bot.catalogue import job_named

MAX_WAIT = 30.0  # seconds a request may be kept open
MAX_PAGE = 200
INLINE_AT_ONCE = 8  # requests executing inline; the threads left over keep the page alive

router = APIRouter(prefix="/api")
_inline_seats = anyio.CapacityLimiter(INLINE_AT_ONCE)


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=150,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own. The same key with the same body is accepted once, however often it is sent.",
    ),
]
RunId = Annotated[str, Path(description="As `POST /api/runs` returned it.")]


# ---------------------------------------------------------------- submit


@router.post(
    "/runs",
    tags=["runs"],
    summary="Submit a job",
    status_code=202,
    response_model=Submitted,
    responses=problems(400, 413, 415, 422, 503),
)
async def submit_runs(wanted: Submission, response: Response, key: Key = None) -> dict[str, Any]:
    """Accept a job for later: the runs are in the database and will be done, whatever happens to brokers and workers.

    The inline lane does them at once, and answers 200 with their final states.
    """
    reply, repeated = await run_in_threadpool(submission.submit, wanted, key)
    if repeated:
        response.headers["Idempotent-Replay"] = "true"
        response.status_code = 200 if wanted.lane == "inline" else 202
        return reply
    return await _send_on(wanted.lane, reply, response, key)


async def _send_on(lane: str, reply: dict[str, Any], response: Response, key: str | None = None) -> dict[str, Any]:
    """Wake the lane's relay; or, on the inline lane, execute the accepted runs and answer with their final states."""
    if lane != "inline":
        relay.wake(lane)
        return reply
    ids = [run["id"] for run in reply["runs"]]
    final = await anyio.to_thread.run_sync(_execute_inline, ids, limiter=_inline_seats)
    if key is not None:
        await run_in_threadpool(submission.replace_reply, key, final)
    response.status_code = 200
    return final


def _execute_inline(ids: Sequence[str]) -> dict[str, Any]:
    for run_id in ids:
        lanes.run_inline(run_id)
    return submission.replied((run_id, submission.existing(run_id).state) for run_id in ids)


# ---------------------------------------------------------------- look


@router.get("/runs", tags=["runs"], summary="List runs", response_model=RunPage, responses=problems(422, 503))
def list_runs(
    lane: Lane | None = None,
    state: State | None = None,
    job: str | None = None,
    before: Annotated[str | None, Query(pattern=RUN_ID, description="Only runs older than this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """The newest runs first. `next` is the `before` of the next page, or null."""
    if job is not None:
        job_named(job)
    with database.statements() as connection:
        found = run_lists.page(connection, lane=lane, state=state, job=job, before=before, limit=limit + 1)
    more = len(found) > limit
    return {"runs": [shown(run) for run in found[:limit]], "next": found[limit - 1].id if more else None}


@router.get(
    "/runs/{run_id}",
    tags=["runs"],
    summary="Show a run, or wait for its end",
    response_model=RunShown,
    responses=problems(404, 422, 503),
)
async def show_run(
    run_id: RunId,
    request: Request,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the run's end.")] = 0.0,
) -> RunShown:
    """One run with its result. With `wait`, the answer comes when the run has ended, or after that many seconds."""
    deadline, pause = time.monotonic() + wait, 0.02
    while True:
        run = await run_in_threadpool(submission.existing, run_id)
        left = deadline - time.monotonic()
        if run.finished_at is not None or left <= 0 or await request.is_disconnected():
            return shown(run)
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.5)


@router.get(
    "/runs/{run_id}/events",
    tags=["runs"],
    summary="Show a run's timeline",
    response_model=Timeline,
    responses=problems(404, 503),
)
def show_events(run_id: RunId) -> Timeline:
    """What happened to a run, in order: from the ledger, and from its own row what the ledger has lost."""
    return timeline.of(submission.existing(run_id))


# ---------------------------------------------------------------- change


@router.post(
    "/runs/{run_id}/cancel",
    tags=["runs"],
    summary="Cancel a run",
    response_model=RunShown,
    responses=problems(404, 409, 503),
)
def cancel_run(run_id: RunId) -> RunShown:
    """End a run that has not ended. A worker already at it is killed; what it has not handed over never happens."""
    return shown(submission.cancel(run_id))


@router.post(
    "/runs/{run_id}/retry",
    tags=["runs"],
    summary="Run an ended run again",
    status_code=202,
    response_model=Submitted,
    responses=problems(404, 409, 503),
)
async def retry_run(run_id: RunId, response: Response) -> dict[str, Any]:
    """Run an ended one again, as a new run with the same job, lane and arguments."""
    lane, reply = await run_in_threadpool(submission.retry, run_id)
    return await _send_on(lane, reply, response)
