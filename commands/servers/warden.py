"""A warden: a process that ends what another has started when that other has ended, however it ended.

Whoever starts servers of its own (the tests, a lab's check, an antipattern, the benchmark) takes one first. The warden
waits for the end of a pipe that only its owner holds open: the kernel closes it at the owner's exit, also at SIGKILL.
Then the warden kills every process that has the owner's mark in its environment, which children inherit however they
are started, and deletes the owner's folder. It is in a session of its own, so a closed terminal does not end it, too.

    with Warden(f"KIT_RUN_DIR={folder / 'run'}", folder):
        …

`kit up` takes none: what it starts is meant to stay.
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

PATIENCE = 20.0  # seconds after which a process that SIGKILL does not end is left to the kernel
TWICE = 2  # looks that must find nothing: a process that was just being forked is not seen by the first
PR_SET_PDEATHSIG = 1  # of prctl(2)


class Warden:
    """The owner's end of it, to be used in a `with` statement.

    Args:
        mark: a NAME=value that all processes to be ended have in their environment; empty for none.
        folder: deleted at the end; processes that work in it (whose current directory it is) are ended as well.
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
        """Have everything ended and the folder deleted; return when that is done. A second call does nothing."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait():  # somebody has killed it
            end_all(self.mark, self.folder)

    def __enter__(self) -> "Warden":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def end_with_make() -> None:
    """Be ended by SIGTERM if the `make` that started us is killed. A shell may end without us: nohup wants that."""
    with suppress(OSError, AttributeError):
        if Path(f"/proc/{os.getppid()}/comm").read_text("utf-8").strip() == "make":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_all(mark: str, folder: Path | None) -> None:
    """Kill whatever has `mark` or works in `folder`, until there is nothing left, and delete `folder`."""
    name, _, value = mark.partition("=")
    if not Path("/proc/self").exists():  # no Linux: only supervisor knows what it has started
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
        for beside in (run.alias, run.socket):  # in the temporary folder, where the run directory's path is too long
            beside.unlink(missing_ok=True)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def working_in(folder: Path) -> list[int]:
    """Processes whose current directory is in `folder`: PostgreSQL writes its titles over the environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder) and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found


def main(mark: str, folder: str) -> None:
    """Wait for the owner's end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_all(mark, Path(folder) if folder else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
