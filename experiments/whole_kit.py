"""Whole kit for one experiment: brokers, API, workers and schedulers, controlled with the kit's own commands."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from commands.servers.warden import Warden
from experiments.ground import FOREIGN, NoGround, temporary_folder
from experiments.processes import ROOT


@contextmanager
def whole_kit() -> Iterator["WholeKit"]:
    """Start a kit, and stop it when the block ends.

    Raises:
        NoGround: it does not start; the message is the output of `kit up`.
    """
    folder = temporary_folder()
    kit = WholeKit(folder)
    with Warden(f"KIT_RUN_DIR={kit.run_dir}", folder):
        started = kit.command("up", "--private")
        if started.returncode:
            raise NoGround(started.stderr.strip())
        yield kit


class WholeKit:
    """A kit with its own folder and servers."""

    def __init__(self, folder: Path) -> None:
        self.run_dir = folder / "run"
        self._environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self._environment |= {"KIT_RUN_DIR": str(self.run_dir), "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the kit."""
        return subprocess.run(
            [sys.executable, "-m", "commands", *words],
            cwd=ROOT, env=self._environment, check=False, capture_output=True, text=True,
        )  # fmt: skip

    def ask(self, *words: str) -> Any:
        """Run a command with --json and return its answer."""
        return json.loads(self.command(*words, "--json").stdout)

    def python(self, code: str, *words: str) -> str:
        """Run Python inside the kit and return what it prints.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        inside = self._environment | {name: str(value) for name, value in self.addresses().items()}
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(command, cwd=ROOT, env=inside, check=True, capture_output=True, text=True).stdout

    def addresses(self) -> dict[str, str | None]:
        """Return the addresses of its servers."""
        return dotenv_values(self.run_dir / "kit.env")

    def submit(self, lane: str, job: str, count: int, **arguments: Any) -> list[str]:
        """Submit runs and return their ids."""
        answer = self.ask("submit", job, "--lane", lane, "--args", json.dumps(arguments), "--count", str(count))
        return [run["id"] for run in answer["runs"]]

    def wait(self, runs: list[str], seconds: float = 60) -> dict[str, int]:
        """Wait until the runs have ended, and return the counts."""
        counts: dict[str, int] = self.ask("wait", *runs, "--timeout", str(seconds))["total"]
        return counts

    def kill(self, name: str) -> None:
        """SIGKILL a process and its children at the same moment."""
        (parent,) = [process["pid"] for process in self.ask("status")["processes"] if process["name"] == name]
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        os.kill(parent, signal.SIGSTOP)  # stopped first, so it cannot report for its children
        for pid in (*map(int, children), parent):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
