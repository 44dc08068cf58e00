"""The checker of the fault suite, with made-up histories. A checker that always says true proves nothing."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import Event, History, Row, Verdict, check

A = Row("a", "DONE", finished_at=10.0)
B = Row("b", "DONE", finished_at=12.5)


def history(**changes: Any) -> History:
    """Two runs that are done, each with its effect, and then the changes of the test."""
    rows = changes.pop("rows", [A, B])
    usual: dict[str, Any] = {
        "accepted": ["a", "b"],
        "rows": rows,
        "later": rows,
        "effects": [("key-a", "a"), ("key-b", "b")],
        "events": [Event(9.0, "a", "started"), Event(10.0, "a", "succeeded"), Event(12.5, "b", "succeeded")],
        "healed_at": 11.0,
    }
    return History(**(usual | changes))


def judged(**changes: Any) -> Verdict:
    return check(history(**changes))


def test_a_history_without_a_fault_in_it_is_true() -> None:
    verdict = judged()

    assert (verdict.verdict, verdict.accepted, verdict.done, verdict.lost, verdict.problems) == ("true", 2, 2, 0, [])
    assert (verdict.recovered, verdict.recovery) == (1, 1.5)


def test_an_accepted_run_without_a_row_is_lost() -> None:
    verdict = judged(rows=[A], effects=[("key-a", "a")])

    assert (verdict.verdict, verdict.lost) == ("false", 1)
    assert "nowhere" in verdict.problems[0]


@pytest.mark.parametrize("state", ["PENDING", "IN_PROGRESS", "RETRYING"])
def test_a_run_that_never_ended_is_lost(state: str) -> None:
    verdict = judged(rows=[A, Row("b", state)], effects=[("key-a", "a")], events=[Event(10.0, "a", "succeeded")])

    assert (verdict.verdict, verdict.lost, verdict.done) == ("false", 1, 1)


def test_a_next_step_that_never_ended_is_lost() -> None:
    verdict = judged(rows=[A, B, Row("c", "PENDING", parent="b")])

    assert (verdict.verdict, verdict.lost) == ("false", 1)


def test_a_done_run_whose_effect_is_missing_is_lost_unless_its_job_has_none() -> None:
    assert (judged(effects=[("key-a", "a")]).verdict, judged(effects=[("key-a", "a")]).lost) == ("false", 1)
    assert judged(effects=[], effect_each=False).verdict == "true"


def test_a_doubled_effect_is_false() -> None:
    verdict = judged(effects=[("key-a", "a"), ("key-a", "a"), ("key-b", "b")])

    assert (verdict.verdict, verdict.duplicated) == ("false", 1)


def test_two_runs_with_the_effect_of_one_key_are_a_duplicate() -> None:
    assert judged(effects=[("key", "a"), ("key", "b")]).duplicated == 1


def test_a_post_seen_twice_outside_is_a_duplicate_though_the_database_knows_of_one() -> None:
    verdict = judged(outside=["post 1", "post 2", "post 1"])

    assert (verdict.verdict, verdict.duplicated) == ("false", 1)


def test_a_run_that_nobody_asked_for_is_unexpected() -> None:
    verdict = judged(rows=[A, B, Row("c", "DONE", finished_at=11.0)])

    assert (verdict.verdict, verdict.unexpected) == ("false", 1)


def test_a_next_step_is_expected() -> None:
    child = Row("c", "DONE", finished_at=11.0, parent="b")
    effects = [("key-a", "a"), ("key-b", "b"), ("key-c", "c")]

    assert judged(rows=[A, B, child], effects=effects).verdict == "true"


def test_an_effect_of_a_run_that_failed_is_unexpected() -> None:
    verdict = judged(rows=[A, Row("b", "FAILED", finished_at=12.0)], events=[Event(12.0, "b", "failed")])

    assert (verdict.verdict, verdict.unexpected, verdict.failed) == ("false", 1, 1)


@pytest.mark.parametrize(
    "now",
    [[replace(B, state="RETRYING", finished_at=None)], [replace(B, finished_at=13.0)], [replace(B, attempt=2)], []],
)
def test_an_ended_run_that_changes_afterwards_went_backwards(now: list[Row]) -> None:
    verdict = judged(later=[A, *now])

    assert verdict.verdict == "false"
    assert "had ended DONE" in verdict.problems[0]


def test_an_end_and_no_time_of_it_do_not_go_together() -> None:
    assert judged(rows=[A, replace(B, finished_at=None)]).verdict == "false"


@pytest.mark.parametrize("event", ["retry", "failed", "succeeded", "revoked"])
def test_a_ledger_in_which_something_happens_to_an_ended_run_is_false(event: str) -> None:
    events = [Event(10.0, "a", "succeeded"), Event(11.0, "a", event)]

    assert "came after succeeded" in judged(events=events).problems[0]


def test_a_ledger_that_tells_of_another_end_than_the_database_is_false() -> None:
    assert judged(events=[Event(10.0, "a", "failed")]).verdict == "false"


def test_a_copy_that_was_recognised_after_the_end_is_no_step_back() -> None:
    events = [Event(10.0, "a", "succeeded"), Event(11.0, "a", "started"), Event(11.1, "a", "superseded")]

    assert judged(events=events).verdict == "true"


def test_a_request_that_broke_and_never_arrived_is_unknown_and_nothing_wrong() -> None:
    verdict = judged(broken={"k1": []})

    assert (verdict.verdict, verdict.unknown, verdict.accepted, verdict.failed) == ("true", 1, 2, 0)


def test_a_request_that_broke_and_did_arrive_was_accepted_and_has_to_end() -> None:
    open_run = Row("c", "PENDING")

    assert judged(broken={"k1": ["c"]}, rows=[A, B, open_run]).lost == 1
    assert judged(broken={"k1": ["c"]}).lost == 1  # the key is there, but its run is not


def test_a_run_whose_outcome_is_unknown_is_counted_as_that() -> None:
    told = Row("b", "FAILED", error="OutcomeUnknown: claimed and never reported", finished_at=12.0)
    verdict = judged(rows=[A, told], effects=[("key-a", "a")], events=[Event(10.0, "a", "succeeded")], outside=["x"])

    assert (verdict.verdict, verdict.unknown, verdict.duplicated) == ("true", 1, 0)


def test_where_nothing_was_accepted_nothing_is_known() -> None:
    assert judged(accepted=[], rows=[], effects=[], events=[]).verdict == "unknown"


@pytest.mark.parametrize("events", [None, []])
def test_without_a_ledger_the_order_of_things_is_unknown_unless_losing_it_is_the_fault(events: Any) -> None:
    assert judged(events=events).verdict == "unknown"
    assert judged(events=events, ledger_lost=True).verdict == "true"


def test_what_grew_without_bound_is_false() -> None:
    assert judged(overgrown=["api holds 900 files, 30 before"]).verdict == "false"
