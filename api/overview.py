"""The rest of the JSON API: which jobs there are, how many runs are where, how much waits; and the import of posts."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from sqlalchemy.exc import DataError

from api import depths, examples
from api.errors import problems
from api.schemas import Catalogue, Choice, ImportReport, JobShown, WorkflowShown
from cars_bot import database, posts, run_lists
from cars_bot.catalogue import JOBS, SCHEDULE, WORKFLOWS, job_named
from cars_bot.errors import InvalidArguments

router = APIRouter(prefix="/api")

NO_EXPORT = (AttributeError, TypeError, ValueError, OverflowError, DataError)  # it has another shape, deep inside


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
    responses=problems(400, 413, 415, 422, 503),
)
def import_posts(
    export: Annotated[Any, Body(description="Telegram Desktop's `result.json`, as it is.")],
) -> ImportReport:
    """Import a Telegram export. Posts that were imported before are brought up to date, not doubled."""
    try:
        imported = posts.store(export, "the body")
    except NO_EXPORT as error:
        raise InvalidArguments(f"the body is not a Telegram export ({error}). {posts.HOW}") from error
    listed = [
        {"channel": channel, "message_id": message_id, "post_id": post_id}
        for (channel, message_id), post_id in imported.post_ids.items()
    ]
    return ImportReport(imported=len(listed), skipped=imported.skipped, posts=listed)
