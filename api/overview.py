"""The rest of the JSON API: which jobs there are, how many runs are where, how much waits; and the import of posts."""

from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api import depths, examples
from api.errors import problems
from api.schemas import Catalogue, Choice, ImportReport, JobShown, WorkflowShown
from cars_bot import database, posts, run_lists
from cars_bot.catalogue import JOBS, SCHEDULE, WORKFLOWS, job_named

router = APIRouter(prefix="/api")

MOST_UNREADABLE = 100


@router.get("/jobs", tags=["catalogue"], summary="List the jobs and workflows there are")
def list_jobs() -> Catalogue:
    """Every job: its arguments as JSON Schema, its queue and priorities, its policy, its schedule."""
    ticks: dict[str, list[str]] = {}
    for tick in SCHEDULE.values():
        ticks.setdefault(tick.job, []).append(str(tick))
    return Catalogue(
        jobs=[
            JobShown(
                name=job.name,
                summary=job.summary,
                queue=job.queue.name,
                max_priority=job.queue.max_priority,
                message_ttl=job.queue.message_ttl,
                arguments=job.arguments.model_json_schema(),
                example=examples.arguments(job),
                policy=asdict(job.policy) | {"max_attempts": job.policy.max_attempts},
                schedule=ticks.get(job.name, []),
            )
            for job in JOBS.values()
        ],
        workflows=[_workflow(name, steps) for name, steps in WORKFLOWS.items()],
    )


def _workflow(name: str, steps: tuple[str, ...]) -> WorkflowShown:
    first = job_named(steps[0])
    return WorkflowShown(
        name=name, steps=list(steps), arguments=first.arguments.model_json_schema(), example=examples.arguments(first)
    )


@router.get("/summary", tags=["counts"], summary="Count all runs", responses=problems(503))
def summarise() -> dict[str, dict[str, int]]:
    """Count all runs per lane and state, and the effects that happened more than once."""
    with database.statements() as connection:
        return run_lists.summary(connection)


@router.post("/summary", tags=["counts"], summary="Count some runs", responses=problems(400, 413, 415, 422, 503))
def summarise_some(choice: Choice) -> dict[str, dict[str, int]]:
    """The same for some runs only."""
    with database.statements() as connection:
        return run_lists.summary(connection, choice.ids)


@router.get("/queues", tags=["counts"], summary="Show how much waits")
async def show_queues() -> dict[str, dict[str, int | None]]:
    """Messages waiting per lane and queue, as the brokers say; null where one does not answer."""
    return await depths.ask()


@router.post(
    "/posts",
    status_code=201,
    tags=["posts"],
    summary="Import a Telegram export",
    responses=problems(413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "description": "Telegram Desktop's `result.json`, as it is.",
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def import_posts(request: Request) -> ImportReport:
    """Import a Telegram export. Posts that were imported before are brought up to date, not doubled."""
    imported = await run_in_threadpool(posts.store, await request.body(), "the body")
    return ImportReport(
        imported=len(imported.post_ids),
        skipped=imported.skipped,
        unreadable=imported.unreadable[:MOST_UNREADABLE],
        posts=[
            {"channel": channel, "message_id": message_id, "post_id": post_id}
            for (channel, message_id), post_id in imported.post_ids.items()
        ],
    )
