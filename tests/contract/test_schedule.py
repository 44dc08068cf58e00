"""One run per schedule and due time, however many schedulers there are: on real processes, for both lanes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.contract.ticks import EVERY
from tests.faketime import off_by, set_by, set_clock
from tests.kit import ROOT, Kit, until

DAY = 86_400.0

pytestmark = pytest.mark.thorough


class Scheduler:
    """A scheduler of a lane that the test starts.

    Args:
        ahead: seconds by which the shared clock is ahead, or a file that holds the number.
        environment: further environment variables.
    """

    def __init__(
        self, kit: Kit, lane: str, folder: Path, name: str, ahead: float | Path = 0.0, **environment: str
    ) -> None:
        self.log = folder / f"{name}.log"
        commands = {
            "celery": ["celery", "-A", "celery_app", "beat", "-l", "info", "--pidfile="],
            "raw": ["raw_consumer", "scheduler", "--name", name],
        }
        command = ["tests.contract.clock_off", str(ahead), lane, name] if ahead else commands[lane]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=kit.environment | environment, stdout=log, stderr=log
            )

    def sent(self) -> int:
        """Return how often, by its own log, it found the test's job due."""
        return self.log.read_text().count("count_tick is due") + self.log.read_text().count("Sending due task often")

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.process.kill()
        self.process.wait()


@contextmanager
def schedulers(kit: Kit, lane: str, folder: Path, *ahead: float) -> Iterator[list[Scheduler]]:
    """One scheduler for each clock."""
    with ExitStack() as stack:
        started = []
        for number, seconds in enumerate(ahead):
            started.append(Scheduler(kit, lane, folder, f"{number}", seconds))
            stack.callback(started[-1].kill)
        yield started


def ticks(kit: Kit, lane: str, since: float) -> list[str]:
    """The ids of the runs of the test's job that were accepted since then, oldest first."""
    query = {"lane": lane, "job": "count_tick", "limit": 200}
    listed = kit.http.get("/api/runs", params=query).json()["runs"]
    return sorted(run["id"] for run in listed if run["accepted_at"] >= since)


def due_time(run_id: str) -> float:
    """The due time of a scheduled run, read from its id."""
    return int(run_id.replace("-", "")[:12], 16) / 1000


def check_once_each(kit: Kit, ids: list[str]) -> None:
    """Check that every run is done, with one effect each, and that there is one run per due time."""
    counts = kit.all_ended(ids, 20)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (len(ids), len(ids), 0)
    assert len({due_time(run_id) for run_id in ids}) == len(ids)
    assert all(due_time(run_id) % EVERY == 0 for run_id in ids)


@pytest.mark.feature("schedule")
def test_two_schedulers_give_one_run_per_slot_and_one_goes_on_alone(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    with schedulers(own_kit, lane, tmp_path, 0, 0) as (first, second):
        began = until(lambda: ticks(own_kit, lane, 0.0) and time.time(), 30, "a first run")
        if lane == "celery":  # on the raw lane one leads, and the other logs nothing
            until(lambda: first.sent() >= 4 and second.sent() >= 4, 30, "both have sent four")
        until(lambda: len(ticks(own_kit, lane, began)) >= 5, 30, "five due times")
        first.kill()
        killed = time.time()
        until(lambda: len(ticks(own_kit, lane, killed)) >= 3, 40, "the other goes on")

    ids = ticks(own_kit, lane, began)
    assert len(ids) <= (time.time() - began) / EVERY + 1, "more runs than due times"
    check_once_each(own_kit, ids)


def test_schedulers_whose_clocks_are_off_repeat_no_slot(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    with schedulers(own_kit, lane, tmp_path, 0, 4.0, -4.0) as (right, ahead, behind):
        began = until(lambda: ticks(own_kit, lane, 0.0) and time.time(), 30, "a first run")
        if lane == "celery":
            overlap = "all have sent twelve: of these four due times are the same"
            until(lambda: min(each.sent() for each in (right, ahead, behind)) >= 12, 40, overlap)
        until(lambda: len(ticks(own_kit, lane, began)) >= 6, 40, "six due times")

    ids = ticks(own_kit, lane, began)
    assert len(ids) <= (time.time() - began + 8) / EVERY + 1, "more runs than due times"
    check_once_each(own_kit, ids)


def ticks_now(kit: Kit, lane: str, since: float) -> list[str]:
    """The ids of those runs whose due time has come since then."""
    return [run_id for run_id in ticks(kit, lane, since) if since - EVERY <= due_time(run_id) <= time.time() + EVERY]


@pytest.mark.parametrize("off", [DAY, -DAY, 600.0, -600.0])
def test_a_scheduler_whose_own_clock_is_wrong_ticks_at_the_right_time(
    own_kit: Kit, lane: str, off: float, tmp_path: Path
) -> None:
    began = time.time()
    wrong = Scheduler(own_kit, lane, tmp_path, "wrong", **off_by(off))
    try:
        until(lambda: len(ticks_now(own_kit, lane, began)) >= 3, 30, "three ticks")
    finally:
        wrong.kill()

    ids = ticks(own_kit, lane, began)
    assert all(due_time(run_id) <= time.time() for run_id in ids), "it ticked for due times that have yet to come"
    assert "that of Redis" in wrong.log.read_text()
    check_once_each(own_kit, ids)


def test_a_scheduler_whose_own_clock_jumps_while_it_runs_goes_on(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    set_clock(tmp_path / "clock", 0)
    began = time.time()
    jumping = Scheduler(own_kit, lane, tmp_path, "jumping", **set_by(tmp_path / "clock"))
    try:
        for off in (0.0, DAY, 0.0, -600.0, 600.0):
            set_clock(tmp_path / "clock", off)
            set_at = time.time()
            until(lambda at=set_at: len(ticks_now(own_kit, lane, at)) >= 3, 30, f"three ticks at {off:+.0f} s")
    finally:
        jumping.kill()

    check_once_each(own_kit, ticks(own_kit, lane, began))


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_schedulers_tick_on_when_a_clock_that_was_a_day_ahead_is_corrected(
    own_kit: Kit, lane: str, restarted: bool, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    set_clock(clock, DAY)
    began = time.time()
    with ExitStack() as stack:

        def start(*names: str) -> None:
            for name in names:
                stack.callback(Scheduler(own_kit, lane, tmp_path, name, clock).kill)

        start("first", "second")
        tomorrow = "ticks of tomorrow"
        until(lambda: sum(due_time(run) > began + DAY for run in ticks(own_kit, lane, began)) >= 3, 30, tomorrow)
        if restarted:
            stack.pop_all().close()
        set_clock(clock, 0)
        corrected = time.time()
        if restarted:
            start("third", "fourth")
        until(lambda: len(ticks_now(own_kit, lane, corrected)) >= 3, 60, "three ticks of today")

    ids = [run_id for run_id in ticks(own_kit, lane, began) if due_time(run_id) < began + DAY / 2]
    check_once_each(own_kit, ids)


def test_of_two_schedulers_one_that_leaps_into_the_future_does_not_silence_the_other(
    own_kit: Kit, lane: str, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    set_clock(clock, 0)
    leaping = Scheduler(own_kit, lane, tmp_path, "leaping", clock)
    steady = Scheduler(own_kit, lane, tmp_path, "steady")
    try:
        until(lambda: ticks(own_kit, lane, 0.0), 30, "a first run")
        set_clock(clock, DAY)
        leapt = time.time()
        until(lambda: len(ticks_now(own_kit, lane, leapt)) >= 5, 60, "the other ticks on")
    finally:
        leaping.kill()
        steady.kill()
