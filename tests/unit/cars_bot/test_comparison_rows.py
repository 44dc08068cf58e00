"""Rows of comparisons on both databases: their order, their submissions, and the runs that belong to them."""

from typing import Any

import pytest

from cars_bot import runs
from cars_bot.catalogue import JOBS
from cars_bot.comparisons import rows, submissions
from cars_bot.comparisons.request import checked
from cars_bot.context import Context, Delivery
from cars_bot.errors import InvalidArguments
from cars_bot.outcome import Done
from cars_bot.run_store.in_database import DATABASE_STORE

pytestmark = pytest.mark.usefixtures("each_database")


def created(**wanted: Any) -> rows.Comparison:
    return rows.create(checked({"jobs": [{"job": "debug_task"}], "count": 3} | wanted))


def submit(comparison: rows.Comparison, upto: int = 3) -> bool:
    numbers = range(comparison.submitted, upto)
    return rows.submit(comparison, list(submissions.rows(comparison.request, comparison.id, numbers, [])), upto)


def test_comparisons_run_one_after_the_other() -> None:
    first, second = created(name="first"), created(name="second")
    assert rows.current() == first
    rows.start(first)
    assert (rows.existing(first.id).state, rows.current()) == ("RUNNING", rows.existing(first.id))
    rows.end(rows.existing(first.id))
    assert rows.current() == second
    assert [each.id for each in rows.newest()] == [second.id, first.id]


def test_two_processes_submit_the_same_jobs_only_once() -> None:
    comparison = created()
    rows.start(comparison)
    seen_by_both = rows.existing(comparison.id)

    assert [submit(seen_by_both), submit(seen_by_both)] == [True, False]
    assert len(rows.runs_of(comparison.id)) == 6
    assert rows.existing(comparison.id).submitted == 3


def test_all_lanes_get_the_same_jobs_with_the_same_priorities() -> None:
    mix = [{"job": "debug_task"}, {"job": "process_task", "args": {"task_num": 7, "timeout": 0.0}}]
    comparison = created(jobs=mix, priorities=[0, 5, 1])
    submit(comparison)

    found = rows.runs_of(comparison.id)
    of_lane = {lane: [(run["job"], run["args"], run["priority"]) for run in found if run["lane"] == lane]
               for lane in ("celery", "raw")}  # fmt: skip
    assert of_lane["celery"] == of_lane["raw"]
    assert [(job, priority) for job, _, priority in of_lane["raw"]] == [
        ("debug_task", 0), ("process_task", 5), ("debug_task", 1),
    ]  # fmt: skip


def test_a_run_that_follows_belongs_to_the_same_comparison() -> None:
    comparison = created(jobs=[{"job": "describe_post", "args": {"text": "Kia Rio"}}], count=1, lanes=["raw"])
    submit(comparison, 1)
    (first,) = rows.runs_of(comparison.id)
    delivery = Delivery(first["id"], first["job"], first["args"], "raw")
    taken = DATABASE_STORE.begin(delivery, JOBS[first["job"]], "w/1")
    assert hasattr(taken, "number")
    context = Context(delivery, taken, "w/1", steps=list(taken.steps))
    DATABASE_STORE.record(context, Done({"is_sale": True}), 0.0)

    assert [run["job"] for run in rows.runs_of(comparison.id)] == ["classify_post", "extract_data"]
    assert [run["comparison"] for run in rows.runs_of(comparison.id)] == [comparison.id] * 2


def test_other_runs_belong_to_no_comparison() -> None:
    assert runs.new_row(JOBS["debug_task"], "raw", {})["comparison"] is None


def test_a_stop_is_noted_once_and_not_after_the_end() -> None:
    comparison = created()
    rows.start(comparison)
    rows.stop(comparison.id)
    asked = rows.existing(comparison.id).stopped_at
    rows.stop(comparison.id)
    assert asked is not None
    assert rows.existing(comparison.id).stopped_at == asked
    rows.end(comparison)
    other = created()
    rows.start(other)
    rows.end(other)
    rows.stop(other.id)
    assert rows.existing(other.id).stopped_at is None


def test_a_job_that_wants_a_post_gets_a_different_sample_post_each_time() -> None:
    comparison = created(jobs=[{"job": "process_post"}], count=4)
    assert submissions.needs_posts(comparison.request)

    found = list(submissions.rows(comparison.request, comparison.id, range(4), [11, 12, 13]))

    of_raw = [row["args"] for row in found if row["lane"] == "raw"]
    assert [args["post_id"] for args in of_raw] == [11, 12, 13, 11]
    assert {args["publish_to"] for args in of_raw} == {submissions.channel(comparison.id, "raw")}


def test_arguments_that_are_too_large_together_are_refused() -> None:
    with pytest.raises(InvalidArguments, match="bytes"):
        checked({"jobs": [{"job": "classify_post", "args": {"text": "x" * 10_000}}], "count": 1_000})
