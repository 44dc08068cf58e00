"""Forms of the page: one for each job and each workflow, made from the JSON Schema of its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from api import examples
from cars_bot.catalogue import JOBS, WORKFLOWS, Job, job_named

LONG_TEXT = 40  # characters; a longer text gets a larger field


@dataclass(frozen=True)
class Field:
    """One value to fill in. `type` is that of JSON Schema, or `json` if the visitor must type JSON."""

    name: str
    type: str
    required: bool
    value: str
    minimum: float | None
    maximum: float | None
    longest: int | None = None  # characters
    choices: tuple[str, ...] = ()

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


@cache
def jobs_of_comparisons() -> list[JobForm]:
    """Return the same forms for a comparison. A job without a post gets a sample post, so `post_id` may be empty."""

    def eased(field: Field) -> Field:
        return replace(field, required=False, value="") if field.name == "post_id" else field

    return [replace(job, fields=[eased(field) for field in job.fields]) for job in jobs()]


def fields_of(model: type[BaseModel], example: Mapping[str, Any] = MappingProxyType({})) -> list[Field]:
    """Return a field for each value of a model. A value without an example has its default."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        _field(name, described, name in required, example.get(name, described.get("default")))
        for name, described in schema.get("properties", {}).items()
    ]


def _form(job: Job) -> JobForm:
    fields = fields_of(job.arguments, examples.arguments(job))
    return JobForm(job.name, job.summary, job.queue.name, job.queue.max_priority, fields)


def _field(name: str, described: dict[str, Any], required: bool, value: Any) -> Field:
    optional: dict[str, Any] = next((part for part in described.get("anyOf", []) if part.get("type") != "null"), {})
    described = optional | described
    kind = described.get("type", "json")
    if kind not in ("integer", "number", "string"):
        kind = "json"
    shown = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    minimum = described.get("minimum", described.get("exclusiveMinimum"))
    choices = described.get("enum") or described.get("items", {}).get("enum", ())
    return Field(
        name, kind, required, shown, minimum, described.get("maximum"), described.get("maxLength"), tuple(choices)
    )
