"""The words of the JSON API: what may be sent and what comes back. `/docs` is made of these, examples included."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cars_bot.boundary import arguments
from cars_bot.errors import InvalidArguments
from cars_bot.runs import MAX_COUNTDOWN, Run

MAX_COUNT = 1_000

Lane = Literal["celery", "raw", "inline"]
State = Literal["PENDING", "IN_PROGRESS", "RETRYING", "DONE", "FAILED", "EXPIRED", "REVOKED"]


RUN_ID = r"^[\x21-\x7e]{1,36}$"  # ours are UUIDs; one that was sent to a broker by hand may be called anything
Id = Annotated[str, StringConstraints(pattern=RUN_ID)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[\x21-\x7e]+$")]  # of idempotency


def acceptable(args: dict[str, Any]) -> dict[str, Any]:
    """Refuse what no message can carry, and say why; see `cars_bot/boundary/arguments.py`."""
    try:
        arguments.check(args)
    except InvalidArguments as error:
        raise ValueError(str(error)) from error
    return args


Arguments = Annotated[dict[str, Any], AfterValidator(acceptable)]


class Submission(BaseModel):
    """A job to be run, once or `count` times."""

    job: str = Field(max_length=64, description="Its name in the catalogue, `GET /api/jobs`; or a workflow's.")
    lane: Lane = Field(description="`celery`, `raw` (RabbitMQ by hand), or `inline`: right here, in this request.")
    args: Arguments = Field(default={}, description="The job's arguments by name.")
    priority: int = Field(default=0, description="0 up to the queue's highest; higher goes first.")
    countdown: float = Field(default=0.0, description=f"Seconds to wait before it starts, 0 to {MAX_COUNTDOWN:.0f}.")
    count: int = Field(default=1, ge=1, le=MAX_COUNT, description="How many runs of it.")

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"job": "process_task", "lane": "celery", "args": {"task_num": 1, "timeout": 2}},
                {"job": "process_post", "lane": "raw", "args": {"post_id": 1}, "priority": 7, "count": 3},
                {"job": "describe_post", "lane": "celery", "args": {"text": "Kia Rio 2017, 98 000 km, 890 000 RUB"}},
            ]
        },
    )


class Accepted(BaseModel):
    """A run that is now the kit's responsibility."""

    id: str
    state: State
    url: str = Field(description="Where to look; add `?wait=30` to wait for its end.")


class Submitted(BaseModel):
    """The runs that were accepted, in order."""

    runs: list[Accepted]

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "runs": [
                    {
                        "id": "019a9f00-0000-7000-8000-000000000001",
                        "state": "PENDING",
                        "url": "/api/runs/019a9f00-0000-7000-8000-000000000001",
                    }
                ]
            }
        }
    )


class RunShown(BaseModel):
    """A run. Times are seconds since 1970, UTC."""

    id: str
    lane: Lane
    job: str
    queue: str
    args: dict[str, Any]
    priority: int
    state: State
    attempt: int = Field(description="Executions begun so far.")
    max_attempts: int
    worker: str | None = None
    result: Any = None
    error: str | None = None
    accepted_at: float
    due_at: float = Field(description="Not started before.")
    published_at: float | None = Field(default=None, description="When a broker confirmed it; null: not yet.")
    started_at: float | None = None
    finished_at: float | None = None
    latency: float | None = Field(default=None, description="Seconds from accepted to ended.")
    parent: str | None = Field(default=None, description="The run that asked for this one, or that this one retries.")
    url: str


class RunListed(RunShown):
    """A run in a list. Arguments and a result of over 4,000 characters are null; the run by itself has them whole."""

    args: dict[str, Any] | None  # type: ignore[assignment]
    args_size: int | None = Field(
        default=None, description="Characters of JSON, if `args` was left out for its length."
    )
    result_size: int | None = Field(default=None, description="The same for `result`.")


class RunPage(BaseModel):
    """One page of runs, newest first. `next`: give it as `before` to get the page after; null on the last."""

    runs: list[RunListed]
    next: str | None


class Happening(BaseModel):
    """One line of a run's timeline."""

    at: float
    event: str
    worker: str = ""
    attempt: int = 0
    detail: str = ""


class Timeline(BaseModel):
    """What happened to a run, in order. `complete` is false when the ledger (Redis) no longer knows all of it."""

    run: str
    complete: bool
    events: list[Happening]


class Choice(BaseModel):
    """Which runs to count."""

    ids: list[Id] | None = Field(default=None, max_length=20_000, description="null: all runs.")

    model_config = ConfigDict(extra="forbid")


class JobShown(BaseModel):
    """A job of the catalogue. `arguments` is a JSON Schema, `example` fits it; seconds throughout."""

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
    """Jobs done one after the other, all with the same arguments; submitted by its name, like a job."""

    name: str
    steps: list[str] = Field(description="Names of jobs. Each is a run of its own, and the parent of the next.")
    arguments: dict[str, Any]
    example: dict[str, Any]


class Catalogue(BaseModel):
    """What can be submitted."""

    jobs: list[JobShown]
    workflows: list[WorkflowShown]


class ImportReport(BaseModel):
    """What an import found; `post_id` is what jobs take as their argument."""

    imported: int
    skipped: int = Field(description="Service messages: someone joined, a pin.")
    unreadable: list[str] = Field(description="Messages that were left out, and why; at most 100 are listed.")
    posts: list[dict[str, Any]]


def shown(run: Run) -> RunShown:
    """A row of the runs table; its columns were checked when they went in."""
    return RunShown.model_construct(**_fields(run, RunShown))


def listed(run: Run) -> RunListed:
    """A row of `run_lists.page`."""
    return RunListed.model_construct(**_fields(run, RunListed))


def _fields(run: Run, model: type[RunShown]) -> dict[str, Any]:
    latency = None if run.finished_at is None else round(run.finished_at - run.accepted_at, 6)
    fields = {name: run._mapping[name] for name in model.model_fields if name in run._mapping}
    return fields | {"latency": latency, "url": f"/api/runs/{run.id}"}
