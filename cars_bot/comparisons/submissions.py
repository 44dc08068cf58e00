"""Submissions of a comparison: the rows of the runs that each lane gets, the same for every lane."""

from collections.abc import Iterator
from typing import Any

from cars_bot import runs, workflow
from cars_bot.catalogue import WORKFLOWS, Job, job_named
from cars_bot.comparisons.request import ComparisonRequest, WantedJob, check


def needs_posts(request: ComparisonRequest) -> bool:
    """Return whether a job of the request works on a post and names none."""
    return any(_wants_a_post(wanted) for wanted in request.jobs)


def try_out(request: ComparisonRequest) -> None:
    """Check a whole request, down to each argument and each priority.

    Raises:
        InvalidArguments, UnknownJob: it cannot run; the message says why.
    """
    check(request)
    turns = range(len(request.jobs) * len(request.priorities))
    list(rows(request, "0" * 36, turns, [1] if needs_posts(request) else []))


def rows(request: ComparisonRequest, comparison: str, numbers: range, posts: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the runs with these numbers, from 0, for all lanes of the comparison.

    Args:
        comparison: the comparison's id.
        posts: our ids of the sample posts; they are taken in turn.

    Raises:
        InvalidArguments, UnknownJob: a job does not take its arguments, or its priority is out of range.
    """
    for number in numbers:
        wanted = request.jobs[number % len(request.jobs)]
        priority = request.priorities[number % len(request.priorities)]
        for lane in request.lanes:
            first, *others = workflow.plan(wanted.job, priority)
            args = wanted.args | _post(wanted, number, posts) | _channel(wanted, comparison, lane)
            row = runs.new_row(
                job_named(first.job), lane, args, priority=priority, countdown=request.countdown,
                run_id=first.run_id, steps=others, comparison=comparison,
            )  # fmt: skip
            yield row


def channel(comparison: str, lane: str) -> str:
    """Return the channel to which a lane publishes the posts of a comparison. It is new, so each post is published."""
    return f"@compare_{comparison.replace('-', '')[-12:]}_{lane}"


def _post(wanted: WantedJob, number: int, posts: list[int]) -> dict[str, Any]:
    return {"post_id": posts[number % len(posts)]} if _wants_a_post(wanted) else {}


def _channel(wanted: WantedJob, comparison: str, lane: str) -> dict[str, Any]:
    is_default = wanted.job == "process_post" and "publish_to" not in wanted.args
    return {"publish_to": channel(comparison, lane)} if is_default else {}


def _wants_a_post(wanted: WantedJob) -> bool:
    return "post_id" not in wanted.args and "post_id" in _first_job(wanted).arguments.model_fields


def _first_job(wanted: WantedJob) -> Job:
    return job_named(WORKFLOWS.get(wanted.job, (wanted.job,))[0])
