"""The two smallest lanes, as their docstrings say they are started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.kit import HEARS_SIGNALS, ROOT, Kit, until

HELLO = pytest.mark.parametrize("module", ["celery_parts.hello", "raw_consumer.hello"])
pytestmark = pytest.mark.thorough


@contextmanager
def worker(kit: Kit, module: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process group of its own, killed at the end."""
    with output.open("ab") as said:
        process = subprocess.Popen(
            [*HEARS_SIGNALS, sys.executable, "-m", "commands", "exec", "python", "-m", module, "worker"],
            cwd=ROOT, env=kit.environment, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def send(kit: Kit, module: str, *words: str) -> str:
    return kit.command("exec", "python", "-m", module, "send", *words).stdout.strip()


@HELLO
def test_the_smallest_lane_does_a_job(kit: Kit, module: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with worker(kit, module, output) as process:
        run = send(kit, module, "7", "0")
        until(lambda: f"{run}: task 7 is done" in output.read_text(), 20, "the job is done")
        os.killpg(process.pid, signal.SIGINT)
        until(lambda: process.poll() is not None, 20, "Ctrl-C ends it")
    assert "Traceback" not in output.read_text()


@HELLO
def test_the_smallest_lane_survives_the_death_of_its_worker(kit: Kit, module: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with worker(kit, module, first):
        before, run = send(kit, module, "1", "0"), send(kit, module, "2", "3")
        until(lambda: f"{before}: task 1 is done" in first.read_text(), 20, "the worker is at the next job")
    with worker(kit, module, second):
        until(lambda: f"{run}: task 2 is done" in second.read_text(), 20, "another worker does it")
    assert "task 2" not in first.read_text()


@HELLO
def test_without_a_broker_the_smallest_lane_names_the_setting(module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RMQ_URL"}
    done = subprocess.run(
        [sys.executable, "-m", module, "send", "7", "0"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "RMQ_URL is not set; start this program with ./kit exec\n")
