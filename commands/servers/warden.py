"""Warden: a process that watches its owner. After the owner's end, however it came, it ends the owner's processes.

Each program that starts servers of its own starts a warden first: the tests, a lab's check, an antipattern, the
benchmark. The warden waits for the end of a pipe that only its owner holds open. The kernel closes the pipe at the
owner's exit, also after SIGKILL. Then the warden kills every process that has the owner's mark in its environment, and
deletes the owner's folder. Children inherit the mark, however they are started. The warden has a session of its own, so
a closed terminal does not end it.

    with Warden(f"KIT_RUN_DIR={folder / 'run'}", folder):
        …

`kit up` starts no warden: its processes must stay.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from commands.common.state import ROOT, RunDir, marked

PATIENCE = 20.0  # seconds; the kernel must end a process that SIGKILL has not ended by then
TWICE = 2  # looks in a row that must find nothing: the first may miss a process that is just being forked
PR_SET_PDEATHSIG = 1  # of prctl(2)


class Warden:
    """The warden from its owner's side, for a `with` statement.

    Args:
        mark: the NAME=value in the environment of all processes that must end; empty for none.
        folder: deleted at the end. Processes whose current directory is in it are ended as well.
    """

    def __init__(self, mark: str, folder: Path | None = None) -> None:
        self.mark, self.folder = mark, folder
        end_with_make()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "commands.servers.warden", mark, str(folder or "")],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={"PYTHONPATH": str(ROOT), "TMPDIR": os.environ.get("TMPDIR", "")},
        )  # fmt: skip

    def end(self) -> None:
        """End everything, delete the folder, and return when that is done. A second call does nothing."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait():  # somebody has killed the warden
            end_all(self.mark, self.folder)

    def __enter__(self) -> "Warden":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def end_with_make() -> None:
    """Ask the kernel for a SIGTERM to us when the `make` that started us ends.

    A shell that started us may end without us, because nohup needs that.
    """
    with suppress(OSError, AttributeError):
        if Path(f"/proc/{os.getppid()}/comm").read_text("utf-8").strip() == "make":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_all(mark: str, folder: Path | None) -> None:
    """Kill every process that has `mark` or works in `folder`, until none is left. Then delete `folder`."""
    name, _, value = mark.partition("=")
    if not Path("/proc/self").exists():  # not Linux: only supervisor knows its processes
        subprocess.run([sys.executable, "-m", "commands", "down"], env=os.environ | {name: value}, check=False)
    deadline, empty = time.monotonic() + PATIENCE, 0
    while empty < TWICE and time.monotonic() < deadline:
        found = set(marked(mark) if mark else ()) | set(working_in(folder) if folder else ())
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        empty = 0 if found else empty + 1
        time.sleep(0.02)
    if name == "KIT_RUN_DIR":
        run = RunDir(Path(value))
        for beside in (run.alias, run.socket):  # in the temporary folder, if the run directory's path is too long
            beside.unlink(missing_ok=True)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def working_in(folder: Path) -> list[int]:
    """Return the processes whose current directory is in `folder`.

    PostgreSQL is found only this way: it overwrites its environment, and the mark in it, with its titles.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder) and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found


def main(mark: str, folder: str) -> None:
    """Wait for the owner's end, then end everything."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_all(mark, Path(folder) if folder else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
