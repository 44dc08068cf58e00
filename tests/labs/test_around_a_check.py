"""Checks of a lab that are interrupted, that run at the same time, or that run on a machine without a broker."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.ground import Ground
from labs.lab import all_labs
from tests.kit import HEARS_SIGNALS, ROOT, until

LAB = all_labs()[0]
HANGS = """import pathlib, time
pathlib.Path(__file__).with_name("began").touch()
time.sleep(600)
"""


def kit_lab(workspace: Path, *words: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start `./kit lab …` in its own workspace and its own process group, as a terminal does."""
    return subprocess.Popen(
        [*HEARS_SIGNALS, *before, sys.executable, "-m", "labs", *words],
        cwd=ROOT, env=os.environ | {"LABS_WORKSPACE": str(workspace)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def left_of(workspace: Path) -> list[str]:
    """The command lines of the processes that were started for a workspace and still run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"LABS_WORKSPACE={workspace}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def test_the_django_project_of_lab_18_can_be_made_for_oneself(tmp_path: Path) -> None:
    def make(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "labs.lab18_celery_in_django.project", *words]
        workspace = os.environ | {"LABS_WORKSPACE": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=workspace, check=False, capture_output=True, text=True)

    too_early = make(str(tmp_path / "my_site"))
    assert (too_early.returncode, "Traceback" in too_early.stderr) == (2, False)
    assert "./kit lab start 18" in too_early.stderr
    assert make().returncode == 2

    assert kit_lab(tmp_path, "start", "18").wait() == 0
    made = make(str(tmp_path / "my_site"))
    assert made.stdout.strip() == f"{tmp_path}/my_site/manage.py is ready"
    assert (tmp_path / "my_site" / "manage.py").is_file()


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle_it_says_so_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").wait() == 0
    (tmp_path / LAB.name / "raw_lane.py").write_text(HANGS, "utf-8")
    check = kit_lab(tmp_path, "check", "1", "--lane", "raw")
    until((tmp_path / LAB.name / "began").exists, 60, "the check has started the program")

    os.killpg(check.pid, number)
    said, _ = check.communicate(timeout=30)

    assert check.returncode == 130, said
    assert "stopped; nothing is left running" in said
    assert "Traceback" not in said
    assert left_of(tmp_path) == []


@pytest.mark.thorough
def test_interrupted_in_a_talk_with_the_broker_it_ends_the_talk_first(servers: Ground) -> None:
    talks = []

    def talk() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        talks.append(stage.has_queue("nobody's"))

    with servers.stage("interrupted") as stage:
        try:
            with pytest.raises(KeyboardInterrupt):
                stage.until(talk, "somebody interrupts")
        finally:
            servers.interrupted = False  # the next test uses the same servers

    assert talks == [False]


@pytest.mark.thorough
def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").wait() == 0
    assert kit_lab(tmp_path, "solution", "1", "--lane", "celery", "--anyway").wait() == 0

    checks = [kit_lab(tmp_path, "check", "1", "--lane", lane) for lane in ("celery", "raw")]
    said = [check.communicate(timeout=120)[0] for check in checks]

    assert [check.returncode for check in checks] == [0, 1], said
    assert "invalid: The web page does the job itself" in said[1]
    assert kit_lab(tmp_path, "progress").communicate()[0].count("1 checks") == 2  # neither has lost the other's note
    assert left_of(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="to hide a program from one process takes root")
def test_without_a_broker_it_says_what_to_install(tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").wait() == 0
    hide = "mount -t tmpfs none /usr/lib/rabbitmq; mount --bind /dev/null /usr/bin/apt-get; "

    check = kit_lab(tmp_path, "check", "1", before=["unshare", "--mount", "sh", "-c", hide + 'exec "$@"', "sh"])
    said, _ = check.communicate(timeout=60)

    assert check.returncode == 4, said
    assert "the servers could not be started" in said
    assert "rabbitmq" in said
    assert "Traceback" not in said
    assert left_of(tmp_path) == []
