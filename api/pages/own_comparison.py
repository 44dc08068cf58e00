"""Form for a comparison of one's own: its fields and choices, and the request with which it opens.

Limits and choices come from the request's model, from the table of faults and from the catalogue.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from api.pages import forms
from api.publishing import submission
from cars_bot.comparisons import rows, submissions
from cars_bot.comparisons.presets import PRESETS
from cars_bot.comparisons.request import FAULTS, MOST_JOBS, Arrivals, ComparisonRequest, Condition, checked
from cars_bot.errors import CarsBotError, InvalidArguments

LONGEST = 300  # characters of a refused value that are shown


@dataclass(frozen=True)
class Opening:
    """The form as an address opens it: a request to fill in, or none, and what is wrong with the address."""

    is_open: bool = False
    request: dict[str, Any] | None = None
    refusal: str = ""


def opening(preset: str = "", like: str = "", run: str = "", job: str = "", args: str = "") -> Opening:
    """Return the form filled from a preset, an earlier comparison, a run, or a job with its arguments as JSON.

    Nothing is started. A wrong value is told beside the form.

    Raises:
        Refused: there is no such run.
        StorageUnavailable: the database does not answer.
    """
    if not (preset or like or run or job):
        return Opening()
    if preset:
        if preset not in PRESETS:
            return Opening(True, None, f"no preset is called {preset[:60]!r}; there are: {', '.join(PRESETS)}")
        return Opening(True, ComparisonRequest.model_validate(PRESETS[preset].request).model_dump())
    if like:
        found = rows.find(like) if like.isprintable() else None
        if found is None:
            return Opening(True, None, f"there is no comparison {like[:60]!r}; the list below has all")
        return Opening(True, found.request.model_dump())
    if run:
        its = submission.existing(run)
        return _of_job(its.job, its.args)
    try:
        return _of_job(job, _object(args or "{}"))
    except InvalidArguments as error:
        return replace(_of_job(job, {}), refusal=str(error))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidArguments(f"the arguments are not JSON ({error}): {text[:LONGEST]}") from error
    if not isinstance(found, dict):
        raise InvalidArguments(f"the arguments are not a JSON object: {text[:LONGEST]}")
    return found


def _of_job(job: str, args: dict[str, Any]) -> Opening:
    """Return the form for one job. An argument that the job does not take is told, with its value."""
    wanted = {"name": job[:100], "jobs": [{"job": job, "args": args}]}
    try:
        submissions.try_out(checked(wanted))
    except CarsBotError as error:
        shown = json.dumps(args, ensure_ascii=False)[:LONGEST]
        known = job in {form.name for form in forms.jobs()}
        return Opening(True, wanted if known else None, f"{error}. The address has {shown}." if args else str(error))
    return Opening(True, wanted)


def context() -> dict[str, Any]:
    """Return the values that the form's template needs."""
    usual = ComparisonRequest()
    found = {field.name: field for model in (ComparisonRequest, Arrivals) for field in forms.fields_of(model)}
    typed = {name: replace(field, required=True) for name, field in found.items() if field.type != "json"}
    return {
        "fields": typed,
        "lanes": found["lanes"].choices,
        "usual": usual,
        "jobs": forms.jobs_of_comparisons(),
        "condition": {field.name: replace(field, required=True) for field in forms.fields_of(Condition, {"at": 1})},
        "faults": FAULTS,
        "most_jobs": MOST_JOBS,
    }
