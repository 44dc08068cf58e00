"""The doctor's complaints about work that does not get done, although every process runs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from cars_bot import database
from cars_bot.database.models import runs
from commands.diagnosis import at_work
from commands.diagnosis.fault import Fault


@pytest.fixture
def faults(fresh_database: None) -> Iterator[Any]:
    """A function that stores runs, each given by its columns, and returns the faults that the doctor finds."""

    def found(*rows: dict[str, Any]) -> list[Fault]:
        for number, row in enumerate(rows):
            due = row.pop("due", time.time())
            usual = {"id": f"run-{number}", "lane": "raw", "job": "debug_task", "queue": "default", "args": {},
                     "priority": 0, "state": "PENDING", "attempt": 0, "max_attempts": 4, "accepted_at": due,
                     "due_at": due}  # fmt: skip
            with database.writing() as connection:
                connection.execute(insert(runs), usual | row)
        with database.statements() as connection:
            return list(at_work._standing_still(connection, "raw", "consumer"))

    yield found


def long_ago(seconds: float) -> float:
    return time.time() - seconds


def done(seconds_ago: float, accepted: float, **more: Any) -> dict[str, Any]:
    return {"state": "DONE", "attempt": 1, "due": long_ago(accepted), "finished_at": long_ago(seconds_ago)} | more


def test_a_lane_that_moves_is_fine(faults: Any) -> None:
    assert faults(done(1, 2), {"state": "IN_PROGRESS", "started_at": long_ago(100), "attempt": 1}, {}) == []


def test_a_long_queue_that_moves_is_worth_a_note(faults: Any) -> None:
    (fault,) = faults({"due": long_ago(100)}, {"due": long_ago(90)}, done(5, 200))
    assert fault.note
    assert "2 runs" in fault.what


def test_a_lane_on_which_nothing_moves_is_a_fault(faults: Any) -> None:
    (fault,) = faults({"due": long_ago(100)}, {"due": long_ago(90)}, done(300, 400))
    assert not fault.note
    assert "none of them moves" in fault.what


def test_a_run_that_is_tried_again_for_ever_while_others_end_is_a_fault(faults: Any) -> None:
    (fault,) = faults({"id": "stuck", "state": "RETRYING", "attempt": 1, "due": long_ago(500)}, done(2, 3))
    assert not fault.note
    assert "stuck" in fault.what


def test_a_run_that_others_of_higher_priority_pass_is_not(faults: Any) -> None:
    found = faults({"due": long_ago(500)}, done(2, 3, priority=5))
    assert [fault.note for fault in found] == [True]


def test_a_run_that_is_not_due_is_not(faults: Any) -> None:
    assert faults({"due": time.time() + 500}, {"state": "RETRYING", "due": time.time() + 5}) == []


def test_a_run_that_is_at_work_past_its_hard_limit_is_a_fault(faults: Any) -> None:
    (fault,) = faults({"state": "IN_PROGRESS", "attempt": 1, "started_at": long_ago(500)})
    assert not fault.note
    assert "longer than they may" in fault.what


def test_deaths_are_counted_as_each_process_tells_of_them(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    local, utc = (now.astimezone() if kind == "local" else now for kind in ("local", "utc"))
    old = f"{local - timedelta(hours=1):%Y-%m-%d %H:%M:%S},123"
    lines = f"""{local:%Y-%m-%d %H:%M:%S},123 WARN exited: api (exit status 1; not expected)
{local:%Y-%m-%d %H:%M:%S},123 INFO exited: redis (exit status 0; expected)
{old} WARN exited: celery_beat (exit status 1; not expected)
time={utc:%Y-%m-%dT%H:%M:%S}.123Z level=WARNING worker=w run=- message="w.1 (pid 7) died with -9"
time={utc - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}.123Z level=WARNING worker=w message="w.1 (pid 7) died with -9"
time={local:%Y-%m-%d %H:%M:%S},123 message="Process 'ForkPoolWorker-2' pid:9 exited with 'signal 9 (SIGKILL)'"
time={local:%Y-%m-%d %H:%M:%S},123 level=INFO message="a child that has done its jobs"
a traceback's line
"""
    log = tmp_path / "worker-1.log"
    log.write_text(lines, encoding="utf-8")

    assert list(at_work.deaths_in(log, time.time() - 300)) == ["api", "worker-1", "worker-1"]
