"""Schemas: the requests and answers of the JSON API that are about runs. `/docs` shows them with their examples.

A schema that only one route uses is in the module of that route.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cars_bot.boundary import arguments
from cars_bot.errors import InvalidArguments
from cars_bot.runs import MAX_COUNTDOWN, Run

MAX_COUNT = 1_000

Lane = Literal["celery", "raw", "inline"]
State = Literal["PENDING", "IN_PROGRESS", "RETRYING", "DONE", "FAILED", "EXPIRED", "REVOKED"]

RUN_ID = r"^[\x21-\x7e]{1,36}$"  # our ids are UUIDs; a message sent to a broker by hand may have any id
Id = Annotated[str, StringConstraints(pattern=RUN_ID)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[\x21-\x7e]+$")]  # an idempotency key


def acceptable(args: dict[str, Any]) -> dict[str, Any]:
    """Refuse arguments that no message can carry, and say why; see `cars_bot/boundary/arguments.py`."""
    try:
        arguments.check(args)
    except InvalidArguments as error:
        raise ValueError(str(error)) from error
    return args


Arguments = Annotated[dict[str, Any], AfterValidator(acceptable)]


class Submission(BaseModel):
    """A job to run, once or `count` times."""

    job: str = Field(max_length=64, description="The name of a job or a workflow in the catalogue, `GET /api/jobs`.")
    lane: Lane = Field(description="`celery`, `raw` (RabbitMQ by hand), or `inline`: inside this request.")
    args: Arguments = Field(default={}, description="The job's arguments by name.")
    priority: int = Field(default=0, description="0 up to the queue's highest; higher goes first.")
    countdown: float = Field(default=0.0, description=f"Seconds to wait before it starts, 0 to {MAX_COUNTDOWN:.0f}.")
    count: int = Field(default=1, ge=1, le=MAX_COUNT, description="Number of runs.")

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
    """A run that was accepted: it will end, even if processes die."""

    id: str
    state: State
    url: str = Field(description="Its address; add `?wait=30` to wait for the end of the run.")


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
    attempt: int = Field(description="Number of executions that have begun.")
    max_attempts: int
    worker: str | None = None
    result: Any = None
    error: str | None = None
    accepted_at: float
    due_at: float = Field(description="The run does not start before this time.")
    published_at: float | None = Field(default=None, description="When a broker confirmed the message; null: not yet.")
    started_at: float | None = None
    finished_at: float | None = None
    latency: float | None = Field(default=None, description="Seconds from acceptance to the end.")
    parent: str | None = Field(default=None, description="The run that asked for this one, or that this one repeats.")
    url: str


class RunListed(RunShown):
    """A run in a list. Arguments and a result over 4,000 characters are null; `GET /api/runs/{run_id}` has them."""

    args: dict[str, Any] | None  # type: ignore[assignment]
    args_size: int | None = Field(default=None, description="Characters of JSON, if `args` was too long for the list.")
    result_size: int | None = Field(default=None, description="The same for `result`.")


class RunPage(BaseModel):
    """One page of runs, newest first. Send `next` as `before` to get the next page; it is null on the last page."""

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
    """The events of a run, in order. `complete` is false if the ledger (Redis) no longer has all of them."""

    run: str
    complete: bool
    events: list[Happening]


def shown(run: Run) -> RunShown:
    """Return a row of the runs table as an answer. Its columns were checked before they were stored."""
    return RunShown.model_construct(**_fields(run, RunShown))


def listed(run: Run) -> RunListed:
    """Return a row of `run_lists.page` as an answer."""
    return RunListed.model_construct(**_fields(run, RunListed))


def _fields(run: Run, model: type[RunShown]) -> dict[str, Any]:
    latency = None if run.finished_at is None else round(run.finished_at - run.accepted_at, 6)
    fields = {name: run._mapping[name] for name in model.model_fields if name in run._mapping}
    return fields | {"latency": latency, "url": f"/api/runs/{run.id}"}
