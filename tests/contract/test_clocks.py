"""Workers whose own clock is wrong.

No fresh run expires, no run starts early, and all times that they write are true.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from commands.servers import postgres_server
from tests.contract.test_lanes import events
from tests.faketime import off_by, set_by, set_clock
from tests.kit import ROOT, Kit, running, until

pytestmark = pytest.mark.thorough

DAY = 86_400.0
COUNTDOWN = 3.0
COMMANDS = {
    "celery": ["celery", "-A", "celery_app", "worker", "-l", "info", "-c", "2", "-n", "skewed@%h", "--without-mingle"],
    "raw": ["raw_consumer", "worker", "--name", "skewed"],
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def idle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit without workers."""
    folder = tmp_path_factory.mktemp("clocks")
    with ExitStack() as stack:
        more = {"EXTRA_JOBS": "tests.contract.jobs,tests.contract.brief"}
        if request.param == "postgresql":
            more["DATABASE_URL"] = stack.enter_context(postgres_server.running(folder / "postgresql")).get_uri()
        yield stack.enter_context(running(folder / "run", "rabbitmq", "redis", "api", **more))


class Worker:
    """A worker that the test starts."""

    def __init__(self, kit: Kit, lane: str, folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / "worker.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *COMMANDS[lane]], cwd=ROOT, env=kit.environment | environment,
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            until(lambda: "ready" in self.log.read_text(), 120, "the worker is ready")
        except AssertionError:
            self.end()
            raise

    def end(self) -> None:
        """Stop the worker."""
        self.process.terminate()
        self.process.wait(90)


def check_true(kit: Kit, ids: list[str], began: float) -> None:
    """Check that all runs are done once, that none was lost or expired, and that every time in their rows is true."""
    counts = kit.all_ended(ids, 90)
    assert (counts["done"], counts["duplicated"]) == (len(ids), 0)
    for run in map(kit.run, ids):
        times = [run[name] for name in ("accepted_at", "started_at", "finished_at")]
        assert times == sorted(times)
        assert began - 1 < times[0]
        assert times[-1] < time.time() + 1
        assert not {"lost", "superseded", "expired"} & set(events(kit, run["id"]))


@pytest.mark.parametrize("off", [DAY, -DAY, 120.0, -120.0])
def test_a_worker_with_a_wrong_clock_does_what_others_do(idle: Kit, lane: str, off: float, tmp_path: Path) -> None:
    worker = Worker(idle, lane, tmp_path, off_by(off))
    began = time.time()
    try:
        ids = idle.submit(lane, "process_task", count=5, args={"task_num": 1, "timeout": 0.05})
        ids += idle.submit(lane, "unhurried", count=3)
        retried = idle.submit(lane, "fail_times", count=2, args={"times": 1})
        later = idle.submit(lane, "process_task", count=2, args={"task_num": 1, "timeout": 0}, countdown=COUNTDOWN)
        check_true(idle, [*ids, *later, *retried], began)
    finally:
        worker.end()

    assert {idle.run(run_id)["attempt"] for run_id in [*ids, *later]} == {1}
    assert {idle.run(run_id)["attempt"] for run_id in retried} == {2}
    for run in map(idle.run, later):
        assert run["started_at"] > run["accepted_at"] + COUNTDOWN - 1, "it started early"
    way = "ahead of" if off > 0 else "behind"
    assert f"{abs(off):.1f} s {way} that of" in worker.log.read_text()


def test_a_worker_whose_clock_is_set_while_it_runs_does_what_others_do(idle: Kit, lane: str, tmp_path: Path) -> None:
    set_clock(tmp_path / "clock", 0)
    worker = Worker(idle, lane, tmp_path, set_by(tmp_path / "clock"))
    began = time.time()
    try:
        for off in (0.0, 600.0, -600.0, 0.0):
            set_clock(tmp_path / "clock", off)
            ids = idle.submit(lane, "process_task", count=3, args={"task_num": 1, "timeout": 0.3})
            ids += idle.submit(lane, "unhurried", count=2)
            check_true(idle, ids, began)
    finally:
        worker.end()
