"""Workers whose channel the broker closes, and workers that a person starts by hand beside others."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import ROOT, Kit, until

HALF_AN_HOUR = 1_800_000  # milliseconds: RabbitMQ's default
SHORT = 2_000
STARTED = 60.0


def set_patience(kit: Kit, milliseconds: int, tick: int) -> None:
    """Set how long the broker waits for an acknowledgement, and how often it checks.

    The values hold for new channels.
    """
    kit.rabbitmqctl(
        "eval",
        f"application:set_env(rabbit, consumer_timeout, {milliseconds}), "
        f"application:set_env(rabbit, channel_tick_interval, {tick}).",
    )
    kit.command("restart", "celery_worker", "consumer")


@pytest.fixture(scope="module")
def impatient(own_kit: Kit) -> Iterator[Kit]:
    """A kit whose broker closes the channel of a worker that holds a message for two seconds."""
    set_patience(own_kit, SHORT, 500)
    try:
        yield own_kit
    finally:
        set_patience(own_kit, HALF_AN_HOUR, 60_000)


@pytest.mark.thorough
@pytest.mark.feature("reconnect")
def test_a_worker_whose_channel_the_broker_closed_goes_on_and_its_outcome_stands(
    impatient: Kit, lane: str, worker: str
) -> None:
    if tuple(map(int, impatient.rabbitmqctl("version").split(".")[:2])) >= (4, 3):
        pytest.skip("NOT TRIED: since RabbitMQ 4.3 a message of a classic queue may be held for as long as one likes")
    pid, log = impatient.pid(worker), impatient.run_dir / "logs" / f"{worker}.log"
    seen = log.stat().st_size
    (held,) = impatient.submit(lane, "process_task", args={"task_num": 1, "timeout": 5})
    neighbours = impatient.submit(lane, "process_task", count=5, args={"task_num": 2, "timeout": 0})

    run = impatient.ended(held, 60)
    assert (run["state"], run["attempt"]) == ("DONE", 1)
    assert impatient.all_ended(neighbours, 60)["done"] == 5
    assert impatient.summary([held, *neighbours])["duplicated"] == 0
    with log.open("rb") as file:
        file.seek(seen)
        assert b"PRECONDITION_FAILED" in file.read(), "the broker closed no channel: this test shows nothing"
    assert impatient.pid(worker) == pid, "the worker ended"


WORDS = {"celery": ["celery", "-A", "celery_app", "worker", "-l", "info", "-c", "1"],
         "raw": ["raw_consumer", "worker", "--concurrency", "1"]}  # fmt: skip


@pytest.mark.thorough
def test_two_workers_started_by_hand_work_beside_each_other(own_kit: Kit, lane: str, tmp_path: Path) -> None:
    logs = [tmp_path / f"{number}.log" for number in (1, 2)]
    started = []
    for path in logs:
        with path.open("wb") as log:
            started.append(
                subprocess.Popen([sys.executable, "-m", *WORDS[lane]], cwd=ROOT, env=own_kit.environment, stderr=log)
            )
    try:
        until(lambda: all(is_ready(path) for path in logs), STARTED, "both are ready")
        counts = own_kit.all_ended(own_kit.submit(lane, "debug_task", count=20), 30)
        assert counts["done"] == 20
        assert [process.poll() for process in started] == [None, None], logs[1].read_text()[-2_000:]
        assert not any("ResourceLocked" in path.read_text() or "RESOURCE_LOCKED" in path.read_text() for path in logs)
    finally:
        for process in started:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)
        for process in started:
            process.wait(30)


def is_ready(path: Path) -> bool:
    """Return whether a worker of either lane logs that it is ready."""
    text = path.read_text()
    return " ready." in text or "ready: consuming" in text
