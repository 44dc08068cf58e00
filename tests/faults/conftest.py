"""The fault suite: one trial for each test, and one line in the report for each lane of the trial.

Every test has a mark with the number of its fault: `@pytest.mark.fault(9, "a prefork child is SIGKILLed")`.
Tests that also have the mark `quick` run with all other tests. The others run only with `--faults all`.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict
from tests.faults.trial import Trial
from tests.kit import Kit, running

# Beat and the scheduler are left out. Their runs would get in the way of a fault meant for other runs.
PROCESSES = ("rabbitmq", "redis", "outside_world", "api", "celery_worker", "consumer")
JOBS = "tests.contract.jobs,tests.contract.ticks,tests.faults.jobs"
DEADLINE = 2  # seconds that a call to the outside world may take
CRASH_POINTS = ("before-accept", "after-accept", "after-confirm", "on-receipt", "mid-effect", "after-effect",
                "before-outcome", "after-outcome", "after-retry-publish")  # fmt: skip
LANES = ("celery", "raw")
_passed = pytest.StashKey[bool]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that are not quick, unless `--faults all` asks for them.

    The soak runs only with `--faults soak`.
    """
    wanted = config.getoption("--faults")

    def is_wanted(item: pytest.Item) -> bool:
        if item.get_closest_marker("soak"):
            return bool(wanted == "soak")
        return bool(wanted == "all" or item.get_closest_marker("quick") or not item.get_closest_marker("fault"))

    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = [item for item in items if is_wanted(item)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember whether the test passed, for its line in the report."""
    report: Any = yield
    if call.when == "call":
        item.stash[_passed] = report.passed
    return report


@pytest.fixture(scope="session")
def crash_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each place at which a process can be made to die. While the file exists, no process dies there."""
    folder = tmp_path_factory.mktemp("crashes")
    for name in CRASH_POINTS:
        (folder / name).touch()
    return folder


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory, crash_files: Path) -> Iterator[Kit]:
    """A kit to break, for all tests that need no kit of their own. Each test repairs what it broke."""
    with running(
        tmp_path_factory.mktemp("broken"),
        *PROCESSES,
        EXTRA_JOBS=JOBS,
        CLIENT_DEADLINE=str(DEADLINE),
        CRASH_AT=",".join(CRASH_POINTS),
        CRASH_ONCE=str(crash_files / "{}"),
    ) as up:
        yield up


@pytest.fixture
def trial(request: pytest.FixtureRequest, broken: Kit) -> Iterator[Trial]:
    """A trial on the lane of the test.

    A test that names no lane gets both lanes; a test of the API alone gets the raw lane.
    """
    shown = _mark(request.node).kwargs.get("lane")
    lanes = LANES if shown is None else ({"api": "raw"}.get(shown, shown),)
    if "lane" in request.fixturenames:
        lanes = (request.getfixturevalue("lane"),)
    made = Trial(broken, lanes)
    yield made
    made.close()
    for lane in lanes:
        _report(request.node, shown or lane, made.verdicts.get(lane))


def _mark(node: pytest.Item) -> pytest.Mark:
    mark = node.get_closest_marker("fault")
    assert mark is not None, "which fault is this about?"
    return mark


def _report(node: pytest.Item, lane: str, verdict: Verdict | None) -> None:
    """Append a line to the report, if there is one: the verdict, or false if the test did not reach one."""
    folder = node.config.getoption("--fault-report")
    if not folder:
        return
    number, name = _mark(node).args
    if verdict is None:
        verdict = Verdict(verdict="false", problems=["the test did not get as far as a verdict"])
    if not node.stash.get(_passed, False) and verdict.verdict != "false":
        verdict.blame("the test failed beside its verdict")
    line = {"fault": number, "name": name, "lane": lane, "test": node.nodeid} | verdict.as_json()
    path = Path(folder) / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.jsonl"  # each file has one writer
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
