"""One run per schedule and slot, however many schedulers there are: on real processes, for both lanes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.contract.ticks import EVERY
from tests.kit import ROOT, Kit, until

pytestmark = pytest.mark.thorough


class Scheduler:
    """A scheduler of a lane, of the test's own; its clock may be ahead."""

    def __init__(self, kit: Kit, lane: str, folder: Path, name: str, ahead: float = 0.0) -> None:
        self.log = folder / f"{name}.log"
        own = str(folder / name)  # Beat's schedule file, the other's name
        commands = {
            "celery": ["celery", "-A", "celery_app", "beat", "-l", "info", "--pidfile=", "-s", own],
            "raw": ["raw_consumer", "scheduler", "--name", own],
        }
        command = ["tests.contract.clock_off", str(ahead), lane, own] if ahead else commands[lane]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=kit.environment, stdout=log, stderr=log
            )

    def sent(self) -> int:
        """How often it found the test's job due, by its own account."""
        return self.log.read_text().count("count_tick is due") + self.log.read_text().count("Sending due task often")

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()


@contextmanager
def schedulers(kit: Kit, lane: str, folder: Path, *ahead: float) -> Iterator[list[Scheduler]]:
    """As many schedulers as there are clocks."""
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


def slot(run_id: str) -> float:
    """The slot a scheduled run is for, from its id."""
    return int(run_id.replace("-", "")[:12], 16) / 1000


def check_once_each(kit: Kit, ids: list[str]) -> None:
    """Every run done, one effect each, one run per slot."""
    counts = kit.all_ended(ids, 20)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (len(ids), len(ids), 0)
    assert len({slot(run_id) for run_id in ids}) == len(ids)
    assert all(slot(run_id) % EVERY == 0 for run_id in ids)


@pytest.mark.feature("schedule")
def test_two_schedulers_give_one_run_per_slot_and_one_goes_on_alone(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    with schedulers(own_kit, lane, tmp_path, 0, 0) as (first, second):
        began = until(lambda: ticks(own_kit, lane, 0.0) and time.time(), 30, "a first run")
        if lane == "celery":  # of the raw lane's one leads, and the other has nothing to say
            until(lambda: first.sent() >= 4 and second.sent() >= 4, 30, "both have sent four")
        until(lambda: len(ticks(own_kit, lane, began)) >= 5, 30, "five slots")
        first.kill()
        killed = time.time()
        until(lambda: len(ticks(own_kit, lane, killed)) >= 3, 40, "the other goes on")

    ids = ticks(own_kit, lane, began)
    assert len(ids) <= (time.time() - began) / EVERY + 1, "more runs than slots"
    check_once_each(own_kit, ids)


def test_schedulers_whose_clocks_are_off_repeat_no_slot(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    with schedulers(own_kit, lane, tmp_path, 0, 4.0, -4.0) as (right, ahead, behind):
        began = until(lambda: ticks(own_kit, lane, 0.0) and time.time(), 30, "a first run")
        if lane == "celery":
            overlap = "all have sent twelve: of these four slots are the same"
            until(lambda: min(each.sent() for each in (right, ahead, behind)) >= 12, 40, overlap)
        until(lambda: len(ticks(own_kit, lane, began)) >= 6, 40, "six slots")

    ids = ticks(own_kit, lane, began)
    assert len(ids) <= (time.time() - began + 8) / EVERY + 1, "more runs than slots"
    check_once_each(own_kit, ids)
