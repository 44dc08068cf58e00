"""Catalogue: the table of all jobs. Both lanes take a job's queue, retries, limits and rate from here alone.

The arguments of a job are the parameters of its function. So the web page, the API and the workers check the same.
`EXTRA_JOBS=package.module` adds the list `JOBS` of that module, and its dicts `SCHEDULE` and `WORKFLOWS` if it has
them. The tests add jobs that way, and the queues of these jobs with them.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cars_bot.errors import InvalidArguments, NotConfigured, UnknownJob
from cars_bot.jobs import ai, demo, monitoring, publishing, sheets
from cars_bot.policy import Policy, Rate
from cars_bot.schedule import SCHEDULE as SCHEDULE
from cars_bot.schedule import Tick as Tick
from cars_bot.settings import settings

HOUR = 3600.0


@dataclass(frozen=True)
class Queue:
    """A queue that exists once per lane. The raw lane puts `raw.` before the name."""

    name: str
    max_priority: int  # the highest priority that a message may have; higher goes first
    message_ttl: float | None = None  # seconds after which an unread message expires; None: never


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
        """A model of the arguments. It is strict about types and refuses unknown names."""
        fields: dict[str, Any] = {
            p.name: (p.annotation, ... if p.default is p.empty else p.default) for p in self.parameters
        }
        config = ConfigDict(extra="forbid", strict=True, validate_default=True)
        return create_model(self.name, __config__=config, **fields)

    def named(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return all arguments by name, unchecked. A surplus positional one gets a name that no check accepts."""
        names = [p.name for p in self.parameters]
        names += [f"argument {n}" for n in range(len(names) + 1, len(args) + 1)]
        return dict(zip(names, args, strict=False)) | kwargs

    def bind(self, **args: Any) -> dict[str, Any]:
        """Return the arguments, with the defaults for the missing ones.

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


# A workflow runs its jobs one after the other, with the same arguments (`workflow.py`). It is submitted like a job.
WORKFLOWS: dict[str, tuple[str, ...]] = {
    "describe_post": ("classify_post", "extract_data", "generate_description"),
}

for _name in settings().extra_jobs:
    try:
        _module = import_module(_name)
        JOBS |= {job.name: job for job in _module.JOBS}
    except (ImportError, AttributeError, SyntaxError) as error:
        raise NotConfigured(f"EXTRA_JOBS: no jobs can be read from {_name}: {error}; correct it or unset it") from error
    SCHEDULE |= getattr(_module, "SCHEDULE", {})
    WORKFLOWS |= getattr(_module, "WORKFLOWS", {})
QUEUES |= {job.queue.name: job.queue for job in JOBS.values()}


def job_named(name: str) -> Job:
    """Return the job called `name`.

    Raises:
        UnknownJob: there is none; the message lists the names that exist.
    """
    try:
        return JOBS[name]
    except KeyError:
        raise UnknownJob(f"no job is called {name!r}; there are: {', '.join(sorted(JOBS))}") from None
