"""Processes of an experiment. Each program has its own group, so one signal reaches a worker and its children."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 10.0


class Group:
    """A program and all processes that it forks."""

    def __init__(self, words: list[str], environment: dict[str, str], log: Path) -> None:
        self.words, self.log = words, log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The first process of the group."""
        return self.process.pid

    def is_alive(self) -> bool:
        """Return whether the first process still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL all of them at once: a parent that is still alive could report for its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Send SIGTERM to the first process, wait for it, kill the rest, and return the first one's exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill()
        return self.process.returncode

    def output(self) -> str:
        """Return the text that the program has printed and logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def python(*words: str) -> list[str]:
    """Return the command line that runs Python with `words`."""
    return [sys.executable, *words]
