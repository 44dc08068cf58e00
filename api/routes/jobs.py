"""GET /api/jobs: the jobs and the workflows, with their arguments and their policies."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import examples
from cars_bot.catalogue import JOBS, SCHEDULE, WORKFLOWS, job_named

router = APIRouter(prefix="/api")


class JobShown(BaseModel):
    """A job of the catalogue. `arguments` is a JSON Schema, and `example` fits it. All times are in seconds."""

    name: str
    summary: str
    queue: str
    max_priority: int
    message_ttl: float | None
    arguments: dict[str, Any]
    example: dict[str, Any]
    policy: dict[str, Any]
    schedule: list[str] = Field(description="Crontab lines in UTC, or `every N s`.")


class WorkflowShown(BaseModel):
    """Jobs that run one after the other with the same arguments. Submit a workflow by its name, like a job."""

    name: str
    steps: list[str] = Field(description="Names of jobs. Each step is a run, and the parent of the next step.")
    arguments: dict[str, Any]
    example: dict[str, Any]


class Catalogue(BaseModel):
    """The jobs and workflows that can be submitted."""

    jobs: list[JobShown]
    workflows: list[WorkflowShown]


@router.get("/jobs", tags=["catalogue"], summary="List the jobs and workflows")
def list_jobs() -> Catalogue:
    """Return every job with its arguments (a JSON Schema), queue, priorities, policy and schedule."""
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
