"""Workers and brokers that die in the middle of things. Afterwards everything accepted is done, each effect once.

These tests break their kit, so they have one of their own.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kit import Kit, running, until


@pytest.fixture(scope="module")
def own_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit to break."""
    with running(tmp_path_factory.mktemp("broken")) as up:
        yield up


def test_killing_a_worker_in_the_middle_loses_and_doubles_nothing(own_kit: Kit, lane: str, worker: str) -> None:
    ids = own_kit.submit(lane, "process_task", count=50, args={"task_num": 1, "timeout": 1})
    until(lambda: own_kit.summary(ids)["done"] >= 4, 30, "some are done")

    own_kit.kill_group(worker)

    counts = own_kit.all_ended(ids, 90)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (50, 50, 0)


def test_a_broker_that_is_gone_while_runs_are_accepted_loses_none_of_them(own_kit: Kit, lane: str) -> None:
    supervisor = _supervisorctl(own_kit)
    supervisor("stop", "rabbitmq")
    ids: list[str] = []
    slowest = 0.0
    for _ in range(40):
        began = time.monotonic()
        ids += own_kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0})
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.2)  # not to wait for anything: to spread the submits over the outage
    supervisor("start", "rabbitmq")

    counts = own_kit.all_ended(ids, 60)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (len(ids), len(ids), 0)
    assert slowest < 2.0, "a submit waited for the broker"


def test_without_redis_no_effect_is_lost_or_doubled(own_kit: Kit, lane: str) -> None:
    pid = own_kit.pid("redis")
    ids = own_kit.submit(lane, "process_task", count=10, args={"task_num": 1, "timeout": 0.3})
    frozen = threading.Timer(0.2, lambda: os.kill(pid, signal.SIGKILL))
    frozen.start()
    ids += own_kit.submit(lane, "process_task", count=10, args={"task_num": 2, "timeout": 0.1})
    frozen.join()

    counts = own_kit.all_ended(ids, 60)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (20, 20, 0)


def _supervisorctl(kit: Kit) -> Callable[..., None]:
    configuration = next(kit.run_dir.glob("**/supervisord.conf"))

    def control(*words: str) -> None:
        lines = configuration.read_text().splitlines()
        socket = next(line.removeprefix("file=") for line in lines if line.startswith("file="))
        subprocess.run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-s", f"unix://{socket}", *words],
            check=True, capture_output=True,
        )  # fmt: skip

    return control
