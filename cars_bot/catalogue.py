"""JOBS: the one table both lanes obey. A job's queue, retries, limits and rate stand here and nowhere else.

A job's arguments are read off its function's signature, so the web page, the API and the workers all check the same
thing. `EXTRA_JOBS=package.module` adds the list named `JOBS` of that module, and the dicts `SCHEDULE` and `WORKFLOWS`
if it has them: the labs and the tests bring jobs that way, and with
them queues of their own.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cars_bot.errors import InvalidArguments, NotConfigured, UnknownJob
from cars_bot.jobs import ai, demo, monitoring, publishing, sheets
from cars_bot.settings import settings

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Queue:
    """A queue that exists once per lane.

    Attributes:
        name: as routed to; the raw lane prefixes it with `raw.`.
        max_priority: the highest priority a message may carry; higher goes first.
        message_ttl: seconds after which an unread message is worthless, or None.
    """

    name: str
    max_priority: int
    message_ttl: float | None = None


QUEUES = {
    queue.name: queue
    for queue in (
        Queue("default", max_priority=5),
        Queue("ai_processing", max_priority=10, message_ttl=1 * HOUR),
        Queue("publishing", max_priority=5),
        Queue("sheets_sync", max_priority=3),
        Queue("monitoring", max_priority=3),
    )
}


@dataclass(frozen=True)
class Rate:
    """At most `limit` calls in any `window` seconds, over all workers and lanes together.

    Attributes:
        window: longer than the minute that the services count, because they count when a call arrives, and a worker's
            first call, for which it connects, arrives later after its permission than those that follow.
        per: the argument whose value has a budget of its own (a channel); None: one budget for all (a spreadsheet).
    """

    limit: int
    window: float = MINUTE + 2
    per: str | None = None


@dataclass(frozen=True)
class Policy:
    """How a job is to be run. Seconds throughout."""

    max_retries: int = 3
    backoff_base: float = 1.0
    backoff_max: float = 600.0
    soft_time_limit: float = 300.0
    hard_time_limit: float = 360.0
    rate: Rate | None = None
    keep_result: bool = True

    @property
    def max_attempts(self) -> int:
        """The first try and its retries."""
        return self.max_retries + 1

    def backoff(self, attempt: int, random: Random) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 1).

        Doubles from `backoff_base` up to `backoff_max`; the jitter takes away up to half of it, so that runs that
        failed together do not come back together.
        """
        ceiling = min(self.backoff_max, self.backoff_base * 2.0 ** (attempt - 1))
        return ceiling * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Job:
    """A named unit of work. `function` takes a Context and then the job's own arguments."""

    name: str
    function: Callable[..., Any]
    queue: Queue
    policy: Policy = field(default_factory=Policy)

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def parameters(self) -> list[inspect.Parameter]:
        """The job's own parameters, without the context."""
        return list(inspect.signature(self.function).parameters.values())[1:]

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """A model of the arguments: strict about types, refusing what it does not know."""
        fields: dict[str, Any] = {
            p.name: (p.annotation, ... if p.default is p.empty else p.default) for p in self.parameters
        }
        config = ConfigDict(extra="forbid", strict=True, validate_default=True)
        return create_model(self.name, __config__=config, **fields)

    def named(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return positional and named arguments by name, unchecked; those too many get a name that no check accepts."""
        names = [p.name for p in self.parameters]
        names += [f"argument {n}" for n in range(len(names) + 1, len(args) + 1)]
        return dict(zip(names, args, strict=False)) | kwargs

    def bind(self, **args: Any) -> dict[str, Any]:
        """Return the arguments with defaults filled in.

        Raises:
            InvalidArguments: some are missing, unknown or of the wrong type; the message lists each.
        """
        try:
            return self.arguments.model_validate(args).model_dump()
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
            raise InvalidArguments(f"{self.name}: {wrong}") from error


_ai = Policy(max_retries=5)
_publishing = Policy(backoff_max=300.0, rate=Rate(30, per="channel"))
_contacts = Policy(backoff_max=300.0, rate=Rate(30, per="subscriber"))
_sheets = Policy(rate=Rate(50))


def _jobs(queue: str, policy: Policy, *functions: Callable[..., Any]) -> list[Job]:
    return [Job(function.__name__, function, QUEUES[queue], policy) for function in functions]


JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        *_jobs("default", Policy(), demo.process_task, demo.process_data, demo.test_task, demo.example_async_task),
        *_jobs("default", Policy(keep_result=False), demo.debug_task),
        *_jobs("ai_processing", _ai, ai.process_post, ai.classify_post, ai.extract_data, ai.generate_description),
        *_jobs("publishing", _publishing, publishing.publish_post),
        *_jobs("publishing", _contacts, publishing.send_contact_info),
        *_jobs("sheets_sync", _sheets, sheets.sync_channels, sheets.sync_subscribers),
        *_jobs("sheets_sync", _sheets, sheets.update_analytics, sheets.log_to_sheets),
        *_jobs("monitoring", Policy(), monitoring.check_subscriptions, monitoring.collect_stats),
        *_jobs("monitoring", Policy(), monitoring.cleanup_old_results, monitoring.health_check),
    )
}


@dataclass(frozen=True)
class Tick:
    """When a job is run by itself: the five fields of a crontab line in UTC, or every so many seconds."""

    job: str
    crontab: str = ""
    every: float = 0.0

    def __str__(self) -> str:
        return self.crontab or f"every {self.every:g} s"


SCHEDULE: dict[str, Tick] = {
    "sync_channels": Tick("sync_channels", "*/1 * * * *"),
    "sync_subscribers": Tick("sync_subscribers", "*/5 * * * *"),
    "update_analytics": Tick("update_analytics", "0 * * * *"),
    "check_subscriptions": Tick("check_subscriptions", "0 0 * * *"),
    "collect_stats": Tick("collect_stats", "*/15 * * * *"),
    "cleanup_results": Tick("cleanup_old_results", "0 3 * * *"),
}

# Jobs that are done one after the other, with the same arguments (`workflow.py`). Submitted like a job.
WORKFLOWS: dict[str, tuple[str, ...]] = {
    "describe_post": ("classify_post", "extract_data", "generate_description"),
}

for _name in settings().extra_jobs:
    try:
        _module = import_module(_name)
        JOBS |= {job.name: job for job in _module.JOBS}
    except (ImportError, AttributeError, SyntaxError) as error:
        raise NotConfigured(f"EXTRA_JOBS names {_name}, which brings no jobs: {error}") from error
    SCHEDULE |= getattr(_module, "SCHEDULE", {})
    WORKFLOWS |= getattr(_module, "WORKFLOWS", {})
QUEUES |= {job.queue.name: job.queue for job in JOBS.values()}


def job_named(name: str) -> Job:
    """Return the job called `name`.

    Raises:
        UnknownJob: there is none; the message lists those there are.
    """
    try:
        return JOBS[name]
    except KeyError:
        raise UnknownJob(f"no job is called {name!r}; there are: {', '.join(sorted(JOBS))}") from None
