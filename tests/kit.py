"""A kit for the tests: real brokers and real processes, on ports of their own. It is gone when the tests end."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from commands.common.state import RunDir, is_alive
from commands.servers.supervisor import Supervisor
from commands.servers.warden import Warden

ROOT = Path(__file__).resolve().parent.parent
# Put before a command, so that it ends at Ctrl-C and when its terminal closes, even if we run under `nohup`.
HEARS_SIGNALS = ("env", "--default-signal=HUP,INT")
# For HTTP clients on this machine. Tests make hundreds of them, and by default each reads a file of authorities.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PATIENCE = 3  # a busy machine may take this many times longer than a quiet one
ENDED = ("DONE", "FAILED", "EXPIRED", "REVOKED")


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `condition()` is true and return its value.

    `seconds` is enough on a machine with nothing else to do. The wait gives up after three times as long, because a
    busy machine is not a fault. A test that claims a speed measures the time itself.

    Raises:
        AssertionError: the condition was never true.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds * PATIENCE:
        if value := condition():
            return value
        time.sleep(min(max(0.02, waited / 10), 0.5))  # often at first, less often later
    raise AssertionError(f"after {waited:.0f} s still not: {what}")


def children_of(parent: int, *, ended: bool = False) -> list[int]:
    """The process ids of a process's children. With `ended`, also children that ended and that it has not noticed."""
    children = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return [pid for pid in children if ended or is_alive(pid)]


def best_of(tries: int, measure: Callable[[], float], good: float) -> float:
    """Measure until a value is under `good`, at most `tries` times, and return the least.

    A busy machine makes everything late now and then. Code that is slow by itself is late every time.
    """
    least = measure()
    while least >= good and (tries := tries - 1):
        least = min(least, measure())
    return least


class Kit:
    """A running kit. Tests use it as its users do: by its commands and over HTTP."""

    def __init__(self, run_dir: Path, **environment: str) -> None:
        self.run_dir = run_dir
        self.environment = os.environ | {
            "KIT_RUN_DIR": str(run_dir),
            "EXTRA_JOBS": "tests.contract.jobs",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self.http = httpx.Client(timeout=40.0, verify=NO_TLS)

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the kit; with `check`, it must exit 0."""
        done = subprocess.run(
            [sys.executable, "-m", "commands", *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"kit {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def up(self, *names: str) -> None:
        """Start everything, or only the named processes."""
        self.command("up", "--private", *names)
        self.http.base_url = self.status()["urls"].get("page", "")

    def down(self) -> None:
        """Stop everything."""
        self.http.close()
        self.command("down")

    def status(self) -> dict[str, Any]:
        """The answer of `kit status --json`."""
        answer: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return answer

    def pid(self, name: str) -> int:
        """The process id of the process called `name`."""
        return next(process.pid for process in self.supervisor.processes() if process.name == name)

    @property
    def supervisor(self) -> Supervisor:
        """The supervisor of the processes. A question to it is quicker than a command."""
        return Supervisor(RunDir(self.run_dir.resolve()))

    def children(self, name: str) -> list[int]:
        """The process ids of a process's children."""
        return children_of(self.pid(name))

    def family(self, worker: str) -> list[int]:
        """The process ids of a worker and of both its children, as soon as it has noticed that others have ended."""
        parent = self.pid(worker)

        def both() -> list[int]:
            alive = children_of(parent)
            return alive if len(alive) == 2 and children_of(parent, ended=True) == alive else []

        return [parent, *until(both, 20, f"{worker} has two children, both alive")]

    def signal_group(self, name: str, number: int) -> None:
        """Send a signal to a process and its children at once, so that the parent cannot answer for its children."""
        parent = self.pid(name)
        os.kill(parent, signal.SIGSTOP)
        for pid in (*self.children(name), parent):
            os.kill(pid, number)

    def kill_group(self, name: str) -> None:
        """SIGKILL a process and its children at once."""
        self.signal_group(name, signal.SIGKILL)

    def rabbitmqctl(self, *words: str, check: bool = True) -> str:
        """Run RabbitMQ's own tool on the kit's broker and return what it prints."""
        tool = str(self.run_dir / "bin" / "rabbitmqctl")
        done = subprocess.run([tool, "-q", *words], capture_output=True, text=True, check=False, timeout=60)
        assert not check or done.returncode == 0, f"rabbitmqctl {words}: {done.stdout}{done.stderr}"
        return done.stdout

    # -------------------------------------------------- runs

    def submit(self, lane: str, job: str, count: int = 1, **body: Any) -> list[str]:
        """Submit runs over HTTP and return their ids."""
        reply = self.http.post("/api/runs", json={"lane": lane, "job": job, "count": count, **body})
        assert reply.status_code in (200, 202), reply.text
        return [run["id"] for run in reply.json()["runs"]]

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as the API shows it."""
        reply = self.http.get(f"/api/runs/{run_id}")
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def ended(self, run_id: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until a run has ended and return it."""
        run: dict[str, Any] = until(
            lambda: (run := self.run(run_id))["state"] in ENDED and run, seconds, f"run {run_id} ended"
        )
        return run

    def summary(self, ids: list[str]) -> dict[str, int]:
        """Counts over these runs, all lanes together."""
        lanes = self.http.post("/api/summary", json={"ids": ids}).json()
        lanes = lanes.get("lanes", lanes)
        return {key: sum(lane[key] for lane in lanes.values()) for key in next(iter(lanes.values()))}

    def all_ended(self, ids: list[str], seconds: float) -> dict[str, int]:
        """Wait until all these runs have ended and return their counts."""

        def done() -> dict[str, int] | None:
            counts = self.summary(ids)
            return counts if sum(counts[state.lower()] for state in ENDED) == len(ids) else None

        counts: dict[str, int] = until(done, seconds, f"{len(ids)} runs ended")
        return counts

    # -------------------------------------------------- the outside world

    @property
    def outside_world(self) -> str:
        """The stand-ins' address."""
        return str(self.status()["urls"]["outside_world"])

    def channel(self, name: str) -> list[dict[str, Any]]:
        """The posts in a channel."""
        reply = self.http.get(f"{self.outside_world}/_control/telegram/messages", params={"chat": name}).json()
        messages: list[dict[str, Any]] = reply["messages"] if isinstance(reply, dict) else reply
        return messages


@contextmanager
def running(run_dir: Path, *names: str, **environment: str) -> Iterator[Kit]:
    """A kit that is up: all of it, or the named processes. Afterwards it is down again, whatever happens in between."""
    kit = Kit(run_dir, **environment)
    with Warden(f"KIT_RUN_DIR={run_dir.resolve()}"):  # in case the tests are killed
        try:
            kit.up(*names)
            yield kit
        finally:
            kit.down()
