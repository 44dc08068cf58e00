"""Forms of the page: one for each job and each workflow, made from the JSON Schema of its arguments."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from api import examples
from cars_bot.catalogue import JOBS, WORKFLOWS, Job, job_named

LONG_TEXT = 40  # characters; a longer text gets a larger field


@dataclass(frozen=True)
class Field:
    """One argument. `type` is that of JSON Schema, or `json` if the visitor must type JSON."""

    name: str
    type: str
    required: bool
    value: str
    minimum: float | None
    maximum: float | None

    @property
    def wide(self) -> bool:
        """True if the field needs a line of its own."""
        return self.type == "string" and len(self.value) > LONG_TEXT


@dataclass(frozen=True)
class JobForm:
    """A job or a workflow as the page offers it. A workflow takes the arguments of its first job."""

    name: str
    summary: str
    queue: str  # the heading above it
    max_priority: int
    fields: list[Field]


@cache
def jobs() -> list[JobForm]:
    """Return the forms of the whole catalogue."""
    workflows = [
        replace(_form(job_named(steps[0])), name=name, summary=", then ".join(steps), queue="workflows")
        for name, steps in WORKFLOWS.items()
    ]
    return [_form(job) for job in JOBS.values()] + workflows


def _form(job: Job) -> JobForm:
    schema, example = job.arguments.model_json_schema(), examples.arguments(job)
    required = schema.get("required", [])
    fields = [
        _field(name, described, name in required, example.get(name, described.get("default")))
        for name, described in schema.get("properties", {}).items()
    ]
    return JobForm(job.name, job.summary, job.queue.name, job.queue.max_priority, fields)


def _field(name: str, described: dict[str, Any], required: bool, value: Any) -> Field:
    optional: dict[str, Any] = next((part for part in described.get("anyOf", []) if part.get("type") != "null"), {})
    kind = described.get("type") or optional.get("type") or "json"
    if kind not in ("integer", "number", "string"):
        kind = "json"
    shown = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    minimum = described.get("minimum", described.get("exclusiveMinimum"))
    return Field(name, kind, required, shown, minimum, described.get("maximum"))
