"""The figures of a comparison: attempts from events, times, percentiles, the card, and the record on disk."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cars_bot.comparisons import record, result
from cars_bot.comparisons.attempts import Attempt, Event, attempts_of, cut_at_the_kill, with_the_first
from cars_bot.comparisons.gather import parts
from cars_bot.comparisons.messages import Message
from cars_bot.comparisons.percentiles import spread
from cars_bot.comparisons.picture import picture
from cars_bot.comparisons.record import Record
from cars_bot.comparisons.request import ComparisonRequest, checked
from cars_bot.errors import InvalidArguments

NAME = "one"


def events(*told: tuple[float, str]) -> list[Event]:
    """The events of one run: (time, event), on worker w/1, attempts numbered by their starts."""
    starts, found = 0, []
    for at, event in told:
        starts += event == "started"
        found.append(Event(at, event, NAME, "raw", "w/1", starts))
    return found


@pytest.mark.parametrize(
    ("told", "outcomes"),
    [
        ([(0, "accepted"), (1, "started"), (3, "succeeded")], [(1, 3, "done")]),
        ([(1, "started"), (2, "retry"), (4, "started"), (5, "failed")], [(1, 2, "retry"), (4, 5, "failed")]),
        ([(1, "started"), (4, "redelivered"), (5, "started"), (6, "succeeded")], [(1, 4, "cut off"), (5, 6, "done")]),
        ([(1, "started"), (2, "lost"), (5, "started"), (6, "succeeded")], [(1, 2, "lost"), (5, 6, "done")]),
        (
            [(1, "started"), (2, "redelivered"), (2.1, "lost"), (3, "started"), (4, "succeeded")],
            [(1, 2, "lost"), (3, 4, "done")],
        ),
        ([(1, "started"), (3, "started"), (4, "succeeded")], [(1, 3, "cut off"), (3, 4, "done")]),
        ([(1, "started"), (3, "redelivered"), (4, "succeeded")], [(1, 4, "done")]),
        ([(1, "started")], [(1, None, "open")]),
        ([(0, "accepted"), (2, "expired")], []),
    ],
)
def test_attempts_follow_from_the_events(told: Any, outcomes: Any) -> None:
    in_disorder = events(*told)[::-1]

    assert [(each.started_at, each.ended_at, each.outcome) for each in attempts_of(in_disorder)] == outcomes


def test_the_row_has_the_first_attempt_that_a_killed_process_did_not_report() -> None:
    told = events((5, "redelivered"), (5.1, "lost"), (6, "started"), (7, "succeeded"))
    told = [replace(event, attempt=2 if event.event in ("started", "succeeded") else 1) for event in told]
    run = row(NAME, attempt=2, started_at=1.0, finished_at=7.0)

    found = with_the_first(attempts_of(told), told, run)

    assert [(each.number, each.worker, each.started_at, each.ended_at, each.outcome) for each in found] == [
        (1, "w/1", 1.0, 5, "lost"), (2, "w/1", 6, 7, "done"),
    ]  # fmt: skip
    kill = {"what": "kill-worker", "lane": "raw", "worker": "w", "at": 1.5}
    assert [each.ended_at for each in cut_at_the_kill(found, [kill])] == [1.5, 7]
    assert cut_at_the_kill(found, [kill | {"lane": "celery"}]) == found
    assert cut_at_the_kill(found, [kill | {"at": 0.5}]) == found


def row(run: str = "a", **changes: Any) -> dict[str, Any]:
    """A run of the record: accepted at 0, begun at 1, done at 3."""
    found: dict[str, Any] = {
        "id": run, "submission": run, "lane": "raw", "job": "debug_task", "state": "DONE", "priority": 0, "attempt": 1,
        "redelivered": 0, "worker": "w/1", "error": None, "accepted_at": 0.0, "published_at": 0.5, "started_at": 1.0,
        "finished_at": 3.0, "parent": None, "waiting": 1.0, "working": 2.0, "pausing": 0.0, "total": 3.0,
    }  # fmt: skip
    return found | changes


def test_waiting_working_and_pausing_are_told_apart() -> None:
    attempts = attempts_of(events((3, "started"), (4, "retry"), (8, "started"), (10, "succeeded")))

    found = parts(row(attempt=2, finished_at=10.0), attempts, countdown=2.0)

    assert found == {"waiting": 1.0, "working": 3.0, "pausing": 4.0, "total": 10.0}


def test_the_parts_are_unknown_where_the_ledger_has_lost_an_attempt() -> None:
    attempts = attempts_of(events((8, "started"), (10, "succeeded")))

    assert parts(row(attempt=2, finished_at=10.0), attempts)["working"] is None
    assert parts(row(finished_at=None), attempts)["total"] is None


@pytest.mark.parametrize(
    ("number", "names"), [(0, []), (1, []), (2, ["p50"]), (19, ["p50"]), (20, ["p50", "p95"]), (99, ["p50", "p95"]),
                          (100, ["p50", "p95", "p99"])],
)  # fmt: skip
def test_a_percentile_without_support_is_left_out(number: int, names: list[str]) -> None:
    found = spread([float(value) for value in range(number)])

    assert found["n"] == number
    assert [name for name in found if name.startswith("p")] == names


def test_percentiles_are_nearest_ranks() -> None:
    found = spread([float(value) for value in range(1, 101)][::-1])

    assert found == {"n": 100, "p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def a_record(runs: list[dict[str, Any]], marks: list[dict[str, Any]] | None = None, **more: Any) -> Record:
    about = {"id": "0", "request": {"name": "test", "lanes": ["celery", "raw"]}, "started_at": 0.0, "ended_at": 9.0,
             "marks": marks or [], "complete": True, "usage": {},
             "messages_of": more.get("messages_of", [])}  # fmt: skip
    lists = [more.get(name, []) for name in ("attempts", "events", "effects", "messages")]
    return Record(about, {}, runs, *lists)


def test_a_submission_counts_once_with_all_its_runs() -> None:
    published = row("b", submission="a", parent="a", accepted_at=3.0, finished_at=7.0, working=1.0, waiting=3.0)

    card = result.compute(a_record([row("a"), published]))["lanes"]["raw"]

    assert (card["accepted"], card["done"], card["runs"]) == (1, 1, 2)
    assert (card["total"]["max"], card["working"]["max"], card["waiting"]["max"]) == (7.0, 3.0, 4.0)


def test_messages_are_counted_for_each_submission_on_the_lanes_where_none_is_missing() -> None:
    copies = [
        Message(at, "a", "raw", "raw.jobs", "default", {}, {}, "{}", head_bytes=98, body_bytes=2) for at in (0.0, 2.0)
    ]
    attempts = [Attempt("a", "raw", number, "w/1", number, number + 1.0, "done") for number in (1, 2)]
    runs = [row("a"), row("c", lane="celery")]

    lanes = result.compute(a_record(runs, attempts=attempts, messages=copies, messages_of=["raw"]))["lanes"]

    assert [lanes["raw"][name] for name in result.MESSAGES] == [2.0, 2.0, 200.0]
    assert [lanes["celery"][name] for name in result.MESSAGES] == [None, None, None]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "done"),
        ({"state": "FAILED", "error": "Permanent: no"}, "failed"),
        ({"state": "FAILED", "error": "OutcomeUnknown: perhaps"}, "unknown"),
        ({"state": "EXPIRED"}, "expired"),
        ({"state": "REVOKED"}, "revoked"),
        ({"state": "RETRYING", "finished_at": None, "total": None}, "lost"),
    ],
)
def test_each_submission_has_one_outcome(changes: dict[str, Any], outcome: str) -> None:
    card = result.compute(a_record([row(**changes)]))["lanes"]["raw"]

    counted = {name: card[name] for name in ("done", "failed", "unknown", "expired", "revoked", "lost")}
    assert {name for name, number in counted.items() if number} == {outcome}


def test_effects_with_one_key_on_one_lane_are_duplicates() -> None:
    runs = [row("a"), row("b"), row("c", lane="celery")]
    effects = [{"run": run, "key": "same"} for run in "abc"]

    lanes = result.compute(a_record(runs, effects=effects))["lanes"]

    assert (lanes["raw"]["duplicated"], lanes["celery"]["duplicated"]) == (1, 0)


def test_recovery_is_counted_from_the_fault_to_the_next_job_that_began_after_it() -> None:
    mark = {"at": 2.0, "what": "kill-worker", "lane": "raw", "detail": ""}
    before = Attempt("a", "raw", 1, "w/1", 1.0, 3.0, "done")
    after = Attempt("b", "raw", 1, "w/1", 4.0, 5.5, "done")

    lanes = result.compute(a_record([row()], [mark], attempts=[before, after]))["lanes"]

    assert (lanes["raw"]["recovery"], lanes["celery"]["recovery"]) == ([3.5], [None])


def test_a_record_is_read_as_it_was_written_and_no_change_goes_unseen(tmp_path: Path) -> None:
    hostile = "=1+1 \u202e <script> \ud800 \n"
    attempts = attempts_of(events((1, "started"), (3, "succeeded")))
    written = a_record([row(NAME, error=hostile)], attempts=attempts, events=events((1, "started")))
    folder = tmp_path / "record"

    record.write(folder, written, result.compute(written), picture(written))
    found = record.read(folder)

    assert found.attempts == written.attempts
    assert found.events == written.events
    assert found.runs[0]["error"] == hostile.replace("\ud800", "?")
    assert result.compute(found) == record.result(folder)
    (folder / "runs.jsonl").write_text("")
    with pytest.raises(InvalidArguments, match="was changed"):
        record.read(folder)


def test_a_script_that_knows_nothing_of_the_kit_counts_the_same(tmp_path: Path) -> None:
    runs = [row(str(number), lane=lane, state=state) for number in range(30)
            for lane, state in (("raw", "DONE"), ("celery", "DONE" if number % 3 else "FAILED"))]  # fmt: skip
    for run in runs:
        run["id"] = run["submission"] = run["id"] + run["lane"]
    written = a_record(runs)
    record.write(tmp_path / "r", written, result.compute(written), picture(written))

    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "r" / name).read_bytes()).hexdigest() == digest
    with (tmp_path / "r" / "runs.csv").open() as file:
        done = Counter(line["lane"] for line in csv.DictReader(file) if line["state"] == "DONE")
    card = json.loads((tmp_path / "r" / "result.json").read_text())["lanes"]
    assert {lane: figures["done"] for lane, figures in card.items()} == done == {"raw": 30, "celery": 20}


def test_the_verdict_says_what_the_figures_hold() -> None:
    lost = row("b", lane="celery", finished_at=None, total=None, state="PENDING")

    said = result.compute(a_record([row("a"), lost]))["verdict"]

    assert result.compute(a_record([]))["verdict"] == "No job was submitted."
    assert "The Celery lane: 0 of 1 done, 1 lost; the lane by hand: 1 of 1 done." in said
    assert (
        "All 1 jobs were done on each lane." in result.compute(a_record([row("a"), row("c", lane="celery")]))["verdict"]
    )


def test_the_verdict_tells_messages_that_were_only_held_from_jobs_that_were_begun() -> None:
    held, begun = row("a", redelivered=1), row("b", redelivered=1, attempt=2)

    assert "1 on the lane by hand (their worker had not begun any of them)." in _verdict([held])
    assert "2 on the lane by hand (their worker had not begun 1 of them)." in _verdict([held, begun])
    assert "again: 1 on the lane by hand." in _verdict([begun])


def _verdict(runs: list[dict[str, Any]]) -> str:
    said: str = result.compute(a_record(runs))["verdict"]
    return said


@pytest.mark.parametrize(
    "wanted",
    [{"count": 0}, {"count": 10_001}, {"lanes": []}, {"lanes": ["raw", "raw"]}, {"lanes": ["moon"]}, {"colour": "red"},
     {"arrivals": {"burst": 2}}, {"arrivals": {"per_second": 1, "burst": 2, "every": 1}}, {"name": " "},
     {"lanes": ["inline"], "countdown": 1}, {"jobs": []}],
)  # fmt: skip
def test_a_request_out_of_range_is_refused_in_words(wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments, match=r"\w+: "):
        checked(wanted)


def test_jobs_arrive_at_once_evenly_or_in_bursts() -> None:
    def offsets(**arrivals: Any) -> list[float]:
        request = ComparisonRequest.model_validate({"arrivals": arrivals})
        return [request.arrivals.offset(index) for index in range(4)]

    assert offsets() == [0, 0, 0, 0]
    assert offsets(per_second=2) == [0, 0.5, 1, 1.5]
    assert offsets(burst=2, every=3) == [0, 0, 3, 3]
