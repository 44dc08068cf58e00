"""Request for a comparison: the jobs, their number, the lanes, the arrivals, and the faults with their moments."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import to_json

from cars_bot.boundary import arguments
from cars_bot.boundary.outside import clean
from cars_bot.catalogue import WORKFLOWS, job_named
from cars_bot.errors import InvalidArguments
from cars_bot.runs import MAX_COUNTDOWN

MOST_SUBMISSIONS = 10_000  # on each lane
MOST_JOBS = 20  # in a mix
LONGEST = 3_600.0  # seconds
MOST_ARGUMENTS = 16_000_000  # bytes of arguments that all runs may have together

Lane = Literal["celery", "raw", "inline"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(clean)]
Seconds = Annotated[float, Field(ge=0.0, le=LONGEST)]


class Fault(NamedTuple):
    """A fault in words, and the fields of a condition that concern it."""

    text: str
    takes: tuple[str, ...] = ()


FAULTS: dict[str, Fault] = {
    "kill-worker": Fault("kill a worker", ("lane",)),
    "kill-child": Fault("kill a worker's child", ("lane",)),
    "freeze-worker": Fault("freeze a worker", ("lane", "seconds")),
    "scale": Fault("change the number of workers", ("lane", "workers")),
    "restart-broker": Fault("restart the broker"),
    "cut-connections": Fault("cut all connections to the broker"),
    "empty-redis": Fault("empty Redis"),
    "rate-limit": Fault("Telegram answers 429", ("lane", "calls")),
    "error": Fault("the model answers 500", ("lane", "calls")),
    "hang": Fault("the model hangs", ("lane", "calls", "seconds")),
    "lose-reply": Fault("Telegram's reply is lost", ("lane", "calls")),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class WantedJob(_Strict):
    """A job of the mix. Jobs that work on a post and name none get a different sample post each time."""

    job: str = Field(max_length=64, description="The name of a job or a workflow in the catalogue.")
    args: dict[str, Any] = Field(default={}, description="The job's arguments by name.")


class Arrivals(_Strict):
    """The moments at which jobs are submitted: all at once, one after the other, or in bursts."""

    per_second: float | None = Field(default=None, gt=0, le=1_000, description="Jobs a second, evenly spaced.")
    burst: int | None = Field(default=None, ge=1, description="Jobs in one burst.")
    every: Seconds | None = Field(default=None, description="Seconds between two bursts.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.burst is None) != (self.every is None):
            raise ValueError("a burst needs both burst and every")
        if self.burst is not None and self.per_second is not None:
            raise ValueError("give per_second, or burst and every, or nothing for all at once")
        return self

    def offset(self, index: int) -> float:
        """Return the seconds from the start to the submission with this index, from 0."""
        if self.per_second is not None:
            return index / self.per_second
        if self.burst is not None and self.every is not None:
            return index // self.burst * self.every
        return 0.0


class Condition(_Strict):
    """A fault, and its moment: it strikes the workers of a lane, a server of the kit, or the outside world."""

    at: Seconds = Field(description="Seconds after the start. A kill or a freeze also waits for a job at work.")
    what: Literal[
        "kill-worker", "kill-child", "freeze-worker", "scale", "restart-broker", "cut-connections",
        "empty-redis",
        "rate-limit", "error", "hang", "lose-reply",
    ]  # fmt: skip
    lane: Literal["celery", "raw"] | None = Field(default=None, description="The lane that it strikes; null: each.")
    workers: int = Field(default=2, ge=1, le=8, description="The number of workers for scale.")
    calls: int = Field(default=5, ge=1, le=10_000, description="The calls of each lane that meet it.")
    seconds: float = Field(default=5.0, gt=0, le=LONGEST, description="The length of a freeze or a hang.")


class ComparisonRequest(_Strict):
    """A comparison, as somebody asks for it. All lanes get the same jobs at the same moments."""

    name: Name = "Comparison"
    lanes: list[Lane] = Field(default=["celery", "raw"], min_length=1, max_length=3)
    jobs: list[WantedJob] = Field(default=[WantedJob(job="process_post")], min_length=1, max_length=MOST_JOBS)
    count: int = Field(default=20, ge=1, le=MOST_SUBMISSIONS, description="Submissions on each lane.")
    arrivals: Arrivals = Arrivals()
    priorities: list[int] = Field(default=[0], min_length=1, max_length=100, description="They are taken in turn.")
    countdown: float = Field(default=0.0, ge=0.0, le=MAX_COUNTDOWN)
    conditions: list[Condition] = Field(default=[], max_length=50, description="Faults, each with its moment.")
    deadline: float = Field(default=120.0, gt=0.0, le=LONGEST, description="Seconds after which it ends in any case.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.lanes)) != len(self.lanes):
            raise ValueError("each lane at most once")
        if "inline" in self.lanes and self.countdown:
            raise ValueError("the inline lane runs inside the request and cannot wait; leave countdown at 0")
        return self


def checked(wanted: dict[str, Any]) -> ComparisonRequest:
    """Return the request, with all its values checked.

    Raises:
        InvalidArguments: a value is missing, unknown or out of range; the message says which.
        UnknownJob: a job is not in the catalogue.
    """
    try:
        request = ComparisonRequest.model_validate(wanted)
    except ValidationError as error:
        raise InvalidArguments(in_words(error)) from error
    check(request)
    return request


def check(request: ComparisonRequest) -> None:
    """Check the jobs of a request, beyond the types and ranges of its values.

    Raises:
        InvalidArguments: the arguments are too large, or no message can carry them.
        UnknownJob: a job is not in the catalogue.
    """
    for each in request.jobs:
        arguments.check(each.args)
        size = len(to_json(each.args)) * request.count * len(request.lanes) // len(request.jobs)
        if size > MOST_ARGUMENTS:
            raise InvalidArguments(
                f"the arguments of all runs are {size:,} bytes, and {MOST_ARGUMENTS:,} are allowed; send fewer "
                "jobs, or keep the data in the database and send its id"
            )
        job_named(WORKFLOWS.get(each.job, (each.job,))[0])


def in_words(error: ValidationError) -> str:
    """Return the mistakes in a request as sentences, each with its place."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'comparison'}: {_sentence(e)}" for e in error.errors())


def _sentence(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
