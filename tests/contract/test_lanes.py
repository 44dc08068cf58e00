"""Promises of every lane. Each test runs once per lane, on real brokers, and asks each lane the same."""

import re
import time
from typing import Any

import pytest

from tests.kit import Kit, best_of, until


def events(kit: Kit, run_id: str) -> list[str]:
    """The names of a run's events, in order."""
    reply = kit.http.get(f"/api/runs/{run_id}/events").json()
    listed = reply["events"] if isinstance(reply, dict) else reply
    return [event["event"] for event in listed]


@pytest.mark.feature("registration and dispatch")
def test_a_job_is_done_and_its_result_is_kept(kit: Kit, any_lane: str) -> None:
    run = kit.ended(kit.submit(any_lane, "process_task", args={"task_num": 7, "timeout": 0.05})[0])

    assert (run["state"], run["attempt"], run["error"]) == ("DONE", 1, None)
    assert run["result"] == {"status": "success", "task_num": 7}
    assert re.fullmatch("api" if any_lane == "inline" else r".+-1/[12]", run["worker"]), "the worker's child is named"


def test_a_run_is_seen_at_work_before_it_ends(kit: Kit, lane: str) -> None:
    run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 1.5})[0]

    until(lambda: kit.run(run_id)["state"] == "IN_PROGRESS", 10, "the run is in progress")
    assert kit.ended(run_id)["state"] == "DONE"
    happened = until(lambda: "succeeded" in (seen := events(kit, run_id)) and seen, 5, "the ledger has the end")
    assert [event for event in happened if event in ("started", "succeeded")] == ["started", "succeeded"]


@pytest.mark.feature("retries with backoff and jitter")
def test_an_error_that_may_pass_is_retried_until_it_has_passed(kit: Kit, lane: str) -> None:
    run = kit.ended(kit.submit(lane, "fail_times", args={"times": 2})[0])

    assert (run["state"], run["attempt"], run["result"]) == ("DONE", 3, {"attempt": 3})


def test_retries_come_to_an_end(kit: Kit, lane: str) -> None:
    run = kit.ended(kit.submit(lane, "fail_times", args={"times": 99})[0])

    assert (run["state"], run["attempt"]) == ("FAILED", 3)
    assert "attempt 3 fails on purpose" in run["error"]


@pytest.mark.parametrize(("job", "words"), [("refuse", "Permanent: no"), ("break_down", "ZeroDivisionError: a bug")])
def test_an_error_that_will_not_pass_is_not_retried(kit: Kit, any_lane: str, job: str, words: str) -> None:
    run = kit.ended(kit.submit(any_lane, job)[0])

    assert (run["state"], run["attempt"]) == ("FAILED", 1)
    assert words in run["error"]


def test_a_failed_run_leaves_no_effect(kit: Kit, any_lane: str) -> None:
    ids = kit.submit(any_lane, "write_and_fail")

    assert kit.all_ended(ids, 20)["effects"] == 0


def test_a_result_too_big_to_keep_fails_and_says_so(kit: Kit, any_lane: str) -> None:
    run = kit.ended(kit.submit(any_lane, "big_result")[0])

    assert run["state"] == "FAILED"
    assert "store it elsewhere and return its id" in run["error"]


@pytest.mark.feature("soft and hard time limits")
def test_the_soft_limit_interrupts_a_job(kit: Kit, lane: str) -> None:
    began = time.monotonic()
    run = kit.ended(kit.submit(lane, "overrun", args={"seconds": 20.0})[0])

    assert run["state"] == "FAILED"
    assert "TimeLimitExceeded" in run["error"]
    assert time.monotonic() - began < 10


@pytest.mark.feature("soft and hard time limits")
def test_the_hard_limit_ends_a_job_that_ignores_the_soft_one(kit: Kit, lane: str) -> None:
    stubborn = kit.submit(lane, "overrun_stubbornly", args={"seconds": 30.0})[0]
    neighbours = kit.submit(lane, "process_task", count=4, args={"task_num": 1, "timeout": 0.1})

    run = kit.ended(stubborn)
    assert run["state"] == "FAILED"
    assert "TimeLimitExceeded" in run["error"]
    assert kit.all_ended(neighbours, 20)["done"] == 4


@pytest.mark.feature("poison-message limit")
def test_a_job_that_kills_its_process_ends_failed_and_its_neighbours_are_done(kit: Kit, lane: str) -> None:
    poison = kit.submit(lane, "kill_own_process")[0]
    neighbours = kit.submit(lane, "process_task", count=6, args={"task_num": 1, "timeout": 0.1})

    run = kit.ended(poison, 60)
    assert run["state"] == "FAILED"
    assert "worker was lost" in run["error"]
    assert kit.all_ended(neighbours, 30)["done"] == 6


@pytest.mark.feature("countdown/ETA")
def test_a_countdown_holds_a_run_back(kit: Kit, lane: str) -> None:
    def held_back() -> float:
        run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0}, countdown=2)[0]
        run = kit.ended(run_id)
        assert run["state"] == "DONE"
        return float(run["started_at"] - run["accepted_at"])

    assert 2.0 <= best_of(5, held_back, 3.5) < 3.5


@pytest.mark.feature("countdown/ETA")
def test_a_long_countdown_is_held_by_no_worker(kit: Kit, lane: str) -> None:
    waiting = kit.submit(lane, "debug_task", count=20, countdown=600)
    for _ in range(2):  # when the second is done, all runs to be published with the first are published
        assert kit.ended(kit.submit(lane, "debug_task")[0])["state"] == "DONE"
    in_outbox = {kit.run(run_id)["published_at"] is None for run_id in waiting}
    assert in_outbox == {lane == "celery"}, "the hand-written lane's messages wait in the broker's delay queues"
    for run_id in waiting:
        kit.http.post(f"/api/runs/{run_id}/cancel")


def test_of_what_waits_the_highest_priority_goes_first(kit: Kit, lane: str) -> None:
    # One child is busy longer than the other. The other then runs all waiting jobs, in the order in which it gets them.
    blockers = [kit.submit(lane, "process_task", args={"task_num": 1, "timeout": busy})[0] for busy in (5, 10)]
    until(lambda: kit.summary(blockers)["in_progress"] == 2, 15, "both children are busy")
    waiting = {
        run_id: priority
        for priority in (0, 3, 5)
        for run_id in kit.submit(lane, "process_task", count=4, args={"task_num": 2, "timeout": 0}, priority=priority)
    }
    until(lambda: all(kit.run(run_id)["published_at"] for run_id in waiting), 4, "all wait in the queue")
    assert kit.summary(blockers)["in_progress"] == 2
    kit.all_ended([*blockers, *waiting], 30)

    order = [waiting[run_id] for run_id in sorted(waiting, key=lambda run_id: kit.run(run_id)["started_at"])]
    assert order == [5] * 4 + [3] * 4 + [0] * 4


def test_a_run_revoked_in_the_queue_never_starts(kit: Kit, lane: str) -> None:
    run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0}, countdown=2)[0]
    assert kit.http.post(f"/api/runs/{run_id}/cancel").status_code == 200

    marker = kit.submit(lane, "process_task", args={"task_num": 2, "timeout": 0}, countdown=3)[0]
    assert kit.ended(marker)["state"] == "DONE"
    assert kit.run(run_id)["state"] == "REVOKED"
    assert "started" not in events(kit, run_id)


def test_a_retry_of_an_ended_run_is_a_new_run(kit: Kit, any_lane: str) -> None:
    failed = kit.ended(kit.submit(any_lane, "refuse")[0])
    reply = kit.http.post(f"/api/runs/{failed['id']}/retry")

    assert reply.status_code in (200, 202), reply.text
    again = reply.json()["runs"][0]["id"] if "runs" in reply.json() else reply.json()["id"]
    assert again != failed["id"]
    assert kit.ended(again)["parent"] == failed["id"]
    untouched = ("state", "attempt", "error", "result", "finished_at", "parent")
    assert [kit.run(failed["id"])[key] for key in untouched] == [failed[key] for key in untouched]


def test_fifty_runs_are_each_done_once(kit: Kit, any_lane: str) -> None:
    ids = kit.submit(any_lane, "process_task", count=50, args={"task_num": 1, "timeout": 0})
    counts = kit.all_ended(ids, 30)

    assert (counts["done"], counts["effects"], counts["duplicated"]) == (50, 50, 0)


WORKSHEETS: list[tuple[str, dict[str, Any]]] = [
    ("sync_channels", {}),
    ("sync_subscribers", {}),
    ("update_analytics", {}),
    ("log_to_sheets", {"event": "test", "details": "from the contract tests"}),
    ("check_subscriptions", {}),
    ("collect_stats", {}),
    ("health_check", {}),
    ("cleanup_old_results", {"days": 1.0}),
    ("process_data", {"data_id": 1, "seconds": 0.0}),
    ("classify_post", {"text": "Продам Toyota Camry 2015, 1 250 000 руб, Москва"}),
    ("extract_data", {"text": "Продам Toyota Camry 2015, 1 250 000 руб, Москва"}),
    ("generate_description", {"text": "Продам Toyota Camry 2015, 1 250 000 руб, Москва"}),
    ("example_async_task", {"name": "x", "count": 1}),
    ("debug_task", {}),
]


@pytest.mark.parametrize(("job", "args"), WORKSHEETS, ids=[job for job, _ in WORKSHEETS])
def test_every_job_does_its_work(kit: Kit, any_lane: str, job: str, args: dict[str, Any]) -> None:
    run = kit.ended(kit.submit(any_lane, job, args=args)[0])

    assert run["state"] == "DONE", run["error"]
    if job == "extract_data":
        assert (run["result"]["make"], run["result"]["price"]) == ("Toyota", 1_250_000)
    if job == "health_check":
        assert run["result"]["healthy"], run["result"]
