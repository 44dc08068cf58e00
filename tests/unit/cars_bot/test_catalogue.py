"""The catalogue: the table of jobs, and the decisions that follow from it."""

from random import Random

import pytest

from cars_bot.catalogue import JOBS, QUEUES, SCHEDULE, WORKFLOWS, job_named
from cars_bot.errors import InvalidArguments, UnknownJob
from cars_bot.policy import Policy

THE_NINETEEN = {
    "process_task", "process_data", "test_task", "example_async_task", "debug_task",
    "process_post", "classify_post", "extract_data", "generate_description",
    "publish_post", "send_contact_info",
    "sync_channels", "sync_subscribers", "update_analytics", "log_to_sheets",
    "check_subscriptions", "collect_stats", "cleanup_old_results", "health_check",
}  # fmt: skip


def test_all_jobs_are_there_with_a_summary() -> None:
    assert JOBS.keys() >= THE_NINETEEN
    assert all(job.summary for job in JOBS.values())


def test_queues_have_the_priorities_and_ttl_of_the_design() -> None:
    assert {q.name: (q.max_priority, q.message_ttl) for q in QUEUES.values()} == {
        "default": (5, None),
        "ai_processing": (10, 3600.0),
        "publishing": (5, None),
        "sheets_sync": (3, None),
        "monitoring": (3, None),
    }


def test_the_steps_of_a_workflow_are_jobs_with_the_same_arguments() -> None:
    for steps in WORKFLOWS.values():
        signatures = {tuple((p.name, p.annotation, p.default) for p in JOBS[job].parameters) for job in steps}
        assert len(signatures) == 1, steps
    assert not WORKFLOWS.keys() & JOBS.keys()


def test_every_tick_names_a_job() -> None:
    assert {tick.job for tick in SCHEDULE.values()} <= JOBS.keys()


def test_backoff_doubles_up_to_its_ceiling_and_jitter_takes_at_most_half() -> None:
    policy = Policy(backoff_base=1.0, backoff_max=10.0)
    random = Random(1)

    for attempt, ceiling in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (40, 10)]:
        waits = [policy.backoff(attempt, random) for _ in range(200)]
        assert ceiling / 2 <= min(waits) <= ceiling * 0.55
        assert ceiling * 0.95 <= max(waits) <= ceiling


def test_arguments_are_named_and_defaults_filled_in() -> None:
    job = job_named("process_task")

    assert job.bind(**job.named(1, 5)) == {"task_num": 1, "timeout": 5.0, "worker_id": "worker"}


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ({"task_num": "1", "timeout": 5}, "task_num"),
        ({"task_num": 1}, "timeout"),
        ({"task_num": 1, "timeout": -1}, "timeout"),
        ({"task_num": 1, "timeout": 1, "colour": "red"}, "colour"),
        ({"task_num": True, "timeout": 1}, "task_num"),
    ],
)
def test_wrong_arguments_are_refused_by_name(args: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidArguments, match=named):
        job_named("process_task").bind(**args)


def test_too_many_positional_arguments_are_refused() -> None:
    job = job_named("debug_task")

    with pytest.raises(InvalidArguments, match="argument 1"):
        job.bind(**job.named("unexpected"))


@pytest.mark.parametrize("written", ["", None, "@Cars_Bot_Demo"])
def test_a_channel_has_one_budget_and_one_key_however_it_is_written(written: str | None) -> None:
    assert job_named("publish_post").bind(post_id=1, channel=written)["channel"] == "@cars_bot_demo"
    assert job_named("publish_post").bind(post_id=1)["channel"] == "@cars_bot_demo"


def test_an_unknown_job_is_told_which_there_are() -> None:
    with pytest.raises(UnknownJob, match="process_post"):
        job_named("proces_post")
