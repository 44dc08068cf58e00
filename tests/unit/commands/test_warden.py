"""An owner and everything that it has started: they end together, however it ends.

Real processes, signals, random moments.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands.common.state import is_alive, marked
from commands.servers.warden import Warden, working_in
from tests.kit import HEARS_SIGNALS, ROOT, until

# An owner with three children: a plain one, a daemon that has left the session, and one without the owner's
# environment. The last one is known only by its folder.
OWNER = """
import os, subprocess, sys, time
from pathlib import Path
from commands.servers.warden import Warden
folder = Path(sys.argv[1])
with Warden(f"KIT_RUN_DIR={folder / 'run'}", folder):
    os.environ["KIT_RUN_DIR"] = str(folder / "run")
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(sleeps)
    subprocess.Popen(sleeps, start_new_session=True)
    subprocess.Popen(sleeps, env={}, cwd=folder, start_new_session=True)
    (folder / "all are there").touch()
    time.sleep(600)
"""


def left(folder: Path) -> list[object]:
    """The remaining processes, and the folder if it remains."""
    found = [*marked(f"KIT_RUN_DIR={folder / 'run'}"), *working_in(folder)]
    return [*found, folder] if folder.exists() else [*found]


def begun(folder: Path, *before: str) -> subprocess.Popen[bytes]:
    """Start an owner whose folder is `folder`."""
    folder.mkdir()
    command = [*HEARS_SIGNALS, *before, sys.executable, "-c", OWNER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_an_owner_that_is_killed_at_work(number: int, tmp_path: Path) -> None:
    owner = begun(folder := tmp_path / "folder")
    until((folder / "all are there").exists, 30, "the owner has started everything")
    assert len(left(folder)) == 4

    os.killpg(owner.pid, number)  # the whole terminal, but not the warden
    owner.wait()

    until(lambda: not left(folder), 20, "nothing is left")


def test_nothing_is_left_of_an_owner_that_is_killed_at_any_moment(tmp_path: Path) -> None:
    for number in range(10):
        owner = begun(folder := tmp_path / str(number))
        time.sleep(moment := random.uniform(0, 0.4))
        owner.kill()
        owner.wait()
        if (folder / "all are there").exists():  # before that, there may be no warden yet, and nothing but the folder
            until(lambda: not left(folder), 20, f"nothing is left after {moment:.3f} s")
        until(lambda: left(folder) in ([], [folder]), 20, f"no process is left after {moment:.3f} s")


def test_a_make_that_is_killed_takes_what_it_has_started_along(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"all:\n\t@{sys.executable} owner.py {tmp_path}/folder\n", "utf-8")
    (tmp_path / "owner.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{OWNER}", "utf-8")
    (folder := tmp_path / "folder").mkdir()
    make = subprocess.Popen(["make", "--silent", "-C", str(tmp_path)], start_new_session=True)
    until((folder / "all are there").exists, 30, "make has started the owner")

    make.kill()
    make.wait()

    until(lambda: not left(folder), 20, "nothing is left")


def test_a_warden_that_was_killed_is_stood_in_for_at_the_end(tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    with Warden("", folder):
        (warden,) = [pid for pid, command in marked(f"PYTHONPATH={ROOT}").items() if str(folder) in command]
        os.kill(warden, signal.SIGKILL)
        sleeps = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=folder)

    assert sleeps.wait(5) == -signal.SIGKILL
    assert not is_alive(warden)
    assert not folder.exists()
