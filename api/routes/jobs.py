"""GET /api/jobs: the jobs and the workflows, with their arguments and their policies."""

from dataclasses import asdict

from fastapi import APIRouter

from api import examples
from api.schemas import Catalogue, JobShown, WorkflowShown
from cars_bot.catalogue import JOBS, SCHEDULE, WORKFLOWS, job_named

router = APIRouter(prefix="/api")


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
