"""Routes of a run: submit a job, list runs, show one, wait for its end, cancel it, retry it. `/docs` shows them all.

    curl --json '{"job": "process_task", "lane": "raw", "args": {"task_num": 1, "timeout": 2}}' localhost:8080/api/runs
    curl 'localhost:8080/api/runs/<id>?wait=30'

The routes only translate between HTTP and `submission.py`, `timeline.py` and the runs table.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import Refused, problems
from api.live import timeline, waiting
from api.publishing import submission
from api.routes import post_runs
from api.schemas import (
    RUN_ID,
    Key,
    Lane,
    RunPage,
    RunShown,
    State,
    Submission,
    Submitted,
    Timeline,
    listed,
    shown,
)
from cars_bot import database
from cars_bot.catalogue import job_named
from cars_bot.database import run_lists

MAX_WAIT = 30.0  # seconds that a request may stay open
MAX_PAGE = 200

router = APIRouter(prefix="/api")

KeyHeader = Annotated[
    Key | None,
    Header(
        alias="Idempotency-Key",
        description="Any text. The same key with the same body is accepted once, even if it is sent again.",
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
async def submit_runs(wanted: Submission, key: KeyHeader = None) -> Response:
    """Accept a job for later. The runs are in the database, so they will end, whatever happens to brokers and workers.

    The inline lane executes them at once and answers 200 with their final states.
    """
    return await post_runs.accepted(wanted, key)


# ---------------------------------------------------------------- look


@router.get("/runs", tags=["runs"], summary="List runs", response_model=RunPage, responses=problems(422, 503))
def list_runs(
    lane: Lane | None = None,
    state: State | None = None,
    job: str | None = None,
    parent: Annotated[str | None, Query(pattern=RUN_ID, description="Only runs whose parent this is.")] = None,
    before: Annotated[str | None, Query(pattern=RUN_ID, description="Only runs older than this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> Response:
    """Return the newest runs first. `next` is the `before` of the next page, or null.

    A list has the size of long arguments and results instead of their text. `GET /api/runs/{run_id}` has them whole.
    """
    if job is not None:
        job_named(job)
    with database.statements() as connection:
        if before is not None and run_lists.place_of(connection, before) is None:
            raise Refused(422, "unknown_run", f"before={before} is the id of no run; leave it out to begin")
        found = run_lists.page(
            connection, lane=lane, state=state, job=job, parent=parent, before=before, limit=limit + 1
        )
    more = len(found) > limit
    page = RunPage.model_construct(
        runs=[listed(run) for run in found[:limit]], next=found[limit - 1].id if more else None
    )
    return Response(page.model_dump_json(), media_type="application/json")


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
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the end of the run.")] = 0.0,
) -> RunShown:
    """Return one run with its result. With `wait`, the answer comes when the run has ended or the seconds are over."""
    return shown(await waiting.ended(run_id, wait, request.is_disconnected))


@router.get(
    "/runs/{run_id}/events",
    tags=["runs"],
    summary="Show a run's timeline",
    response_model=Timeline,
    responses=problems(404, 503),
)
def show_events(run_id: RunId) -> Timeline:
    """Return the events of a run in order. They come from the ledger; the run's row fills in the missing ones."""
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
    """End an open run as REVOKED. A worker process that executes it is killed. Effects not yet made never happen."""
    return shown(submission.cancel(run_id))


@router.post(
    "/runs/{run_id}/retry",
    tags=["runs"],
    summary="Run an ended run again",
    status_code=202,
    response_model=Submitted,
    responses=problems(404, 409, 503),
)
async def retry_run(run_id: RunId) -> Response:
    """Accept a new run with the job, lane and arguments of a run that has ended."""
    lane, reply = await run_in_threadpool(submission.retry, run_id)
    return await post_runs.send_on(lane, reply)
