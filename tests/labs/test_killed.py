"""Commands that start their own servers. Such a command may be killed at any moment, and leaves no process.

Each command gets a real signal at a random moment. The test gives it a LOGNAME and knows its processes by that, because
the kit hands it on to its servers. (TMPDIR would not do, because kits use it to agree on their ports.)
"""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.common.state import TEMPORARY, TEST_SESSION, marked
from labs.lab import all_labs
from tests.kit import HEARS_SIGNALS, ROOT, until

SWEEP_SECONDS = 30  # a busy machine needs time to end forty processes
LAB = all_labs()[0]
DAEMON = """import os, pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path(__file__).with_name("began").touch()
time.sleep(600)
"""
COMMANDS = {
    "a lab's check": (["labs", "check", "1", "--lane", "raw"], 8.0),
    "an antipattern": (["antipatterns", "run", "8"], 12.0),
    "all antipatterns": (["antipatterns.report", "--repeat", "1", "--processes", "1"], 20.0),
    "the tests": (["commands", "test", "tests/contract/test_kit_lifecycle.py", "-x"], 20.0),
    "the fault tests": (["commands", "test-faults", "tests/faults/test_workers.py", "-x"], 20.0),
}


class Victim:
    """A command in its own session, with a name that all its processes inherit."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.folder, self.output = folder, folder / "output"
        environment = os.environ | {"LABS_WORKSPACE": str(folder / "workspace"), "LOGNAME": folder.name}
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [*HEARS_SIGNALS, sys.executable, "-m", *words], cwd=ROOT, env=environment, start_new_session=True,
                stdout=file, stderr=file,
            )  # fmt: skip

    def left(self) -> list[str]:
        """The processes of the command that still run."""
        return [f"{pid} {command}" for pid, command in marked(f"LOGNAME={self.folder.name}").items()]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, because sockets are made in it."""
    path = Path("/tmp") / f"killed-{uuid.uuid4().hex[:8]}"
    path.mkdir()
    yield path
    subprocess.run(["rm", "-rf", str(path)], check=False)


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP], ids=["SIGKILL", "SIGHUP"])
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_moment_it_leaves_nothing(name: str, number: int, folder: Path) -> None:
    words, longest = COMMANDS[name]
    moment = random.uniform(0.1, longest)  # seconds; the message of a failure names them
    if words[0] == "labs":
        Victim(["labs", "start", "1"], folder).process.wait()
        (folder / "workspace" / LAB.name / "raw_lane.py").write_text(DAEMON, "utf-8")
    victim = Victim(words, folder)
    time.sleep(moment)

    victim.process.send_signal(number)
    victim.process.wait(SWEEP_SECONDS)

    until(lambda: not victim.left(), SWEEP_SECONDS, f"nothing is left after {moment:.2f} s: {victim.left()}")


@pytest.mark.thorough
def test_a_check_killed_at_work_takes_along_what_the_students_program_has_started(folder: Path) -> None:
    Victim(["labs", "start", "1"], folder).process.wait()
    (folder / "workspace" / LAB.name / "raw_lane.py").write_text(DAEMON, "utf-8")
    victim = Victim(["labs", "check", "1", "--lane", "raw"], folder)
    began = folder / "workspace" / LAB.name / "began"
    until(lambda: began.exists() or victim.process.poll() is not None, 120, "the check has started the program")
    assert began.exists(), victim.output.read_text("utf-8")
    assert len(victim.left()) >= 6  # RabbitMQ, Redis, the messenger, supervisor, the program and its child

    victim.process.kill()
    victim.process.wait()

    until(lambda: not victim.left(), SWEEP_SECONDS, f"nothing is left: {victim.left()}")


@pytest.mark.thorough
def test_doctor_finds_what_was_left_without_a_warden_and_its_command_ends_it(folder: Path) -> None:
    run = folder / f"{TEMPORARY}left" / "run"
    kit = [sys.executable, "-m", "commands"]
    outside = {name: value for name, value in os.environ.items() if name != TEST_SESSION}  # it would name an owner
    environment = outside | {"KIT_RUN_DIR": str(run)}
    subprocess.run([*kit, "up", "--private", "redis"], cwd=ROOT, env=environment, check=True, capture_output=True)
    try:
        elsewhere = os.environ | {"KIT_RUN_DIR": str(folder / "another")}
        said = subprocess.run([*kit, "doctor"], cwd=ROOT, env=elsewhere, check=False, capture_output=True, text=True)

        lines = said.stdout.splitlines()
        (place,) = [number for number, line in enumerate(lines) if str(run.parent) in line and "→" not in line]
        assert "the program that started them is gone" in lines[place]
        assert said.returncode == 1
        subprocess.run(lines[place + 1].partition("→")[2], shell=True, check=True)  # noqa: S602 - as a person types it
        until(lambda: not marked(f"KIT_RUN_DIR={run}"), 10, "all of it has ended")
        assert not run.parent.exists()
    finally:
        subprocess.run([*kit, "down"], cwd=ROOT, env=environment, check=True, capture_output=True)
