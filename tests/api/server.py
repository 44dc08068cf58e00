"""A web server for the tests: the real API on a free port, with its own SQLite and Redis, and no broker.

There are no workers either. A test plays the worker through the signed callback. So it decides itself when a run
starts and how it ends.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from cars_bot.run_store.signature import sign
from commands.servers.ports import is_free, promises
from commands.servers.redis_server import binaries
from tests.kit import NO_TLS, ROOT, until

SECRET = "the tests' own"


def free_port() -> int:
    """A free port that is promised to this process. Another process of the tests does not get it meanwhile.

    The kernel does not give it to outgoing connections, so none can take it first.
    """
    with promises() as promised:
        while str(port := random.randrange(26_000, 32_000)) in promised or not is_free(port):
            pass
        promised[str(port)] = os.getpid()
    return port


class Server:
    """The API as a process. A test can kill it and start it again on the same data."""

    prefix: tuple[str, ...] = ()  # words before the command, such as `prlimit --nofile=400`

    def __init__(self, folder: Path, redis_url: str, **environment: str) -> None:
        self.folder = folder
        self.database = folder / "kit.sqlite3"
        self.port = free_port()
        nobody = f"127.0.0.1:{free_port()}"
        self.environment = os.environ | {
            "KIT_RUN_DIR": str(folder),
            "KIT_SECRET": SECRET,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": redis_url,
            "RMQ_URL": f"amqp://student:qwerty@{nobody}/",
            "OUTSIDE_WORLD_URL": f"http://{nobody}",
            "EXTRA_JOBS": "tests.contract.jobs",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=40.0, trust_env=False, verify=NO_TLS)
        self.process: subprocess.Popen[bytes] | None = None

    def fresh_client(self) -> httpx.Client:
        """A client with its own connections."""
        return httpx.Client(base_url=self.url, timeout=10.0, trust_env=False, verify=NO_TLS)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [*self.prefix, sys.executable, "-m", "api", "--port", str(self.port), "--log-level", "warning"]
        with (self.folder / "api.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        until(self._answers, 20, "the API answers")

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, (self.folder / "api.log").read_text()
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> float:
        """End it and return how many seconds that took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        return time.monotonic() - began

    def log(self) -> str:
        """The text that it has written to its log."""
        return (self.folder / "api.log").read_text()

    # -------------------------------------------------- runs

    def submit(self, lane: str = "raw", job: str = "debug_task", **body: Any) -> list[str]:
        """Submit and return the ids."""
        reply = self.http.post("/api/runs", json={"lane": lane, "job": job, **body})
        assert reply.status_code in (200, 202), reply.text
        return [run["id"] for run in reply.json()["runs"]]

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as the API shows it."""
        answer: dict[str, Any] = self.http.get(f"/api/runs/{run_id}").raise_for_status().json()
        return answer

    def counts(self) -> int:
        """Return how many runs there are in all."""
        return sum(lane["accepted"] for lane in self.http.get("/api/summary").json().values())

    # -------------------------------------------------- the worker, played by the test

    def report(self, run_id: str, status: str, *, at: float | None = None, **more: Any) -> httpx.Response:
        """Send a signed report, as `cars_bot.reporting.callback` does."""
        body = json.dumps({"id": run_id, "status": status, "worker": "worker-1", **more}).encode()
        stamp = f"{time.time() if at is None else at:.3f}"
        headers = {
            "Content-Type": "application/json",
            "X-Run-Id": run_id,
            "X-Timestamp": stamp,
            "X-Signature": sign(SECRET, run_id, stamp, body),
        }
        return self.http.post("/update_task_status_api/", content=body, headers=headers)

    def begin(self, run_id: str) -> int:
        """Start an attempt and return its number."""
        run = self.run(run_id)
        reply = self.report(run_id, "IN_PROGRESS", job=run["job"], lane=run["lane"], args=run["args"])
        assert reply.status_code == 200, reply.text
        return int(reply.json()["attempt"])

    def end(self, run_id: str, status: str = "DONE", **more: Any) -> httpx.Response:
        """End the attempt that began last."""
        return self.report(run_id, status, attempt=self.run(run_id)["attempt"], began=time.time(), **more)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis for the tests. Yields its URL."""
    (program, environment), port = binaries(), free_port()
    words = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    words += ["--set-proc-title", "no"]  # a title would overwrite the environment, by which the warden finds it
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        until(lambda: _listens(port), 10, "Redis listens")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(folder: Path, redis_url: str, **environment: str) -> Iterator[Server]:
    """A server that is up. It is gone afterwards."""
    server = Server(folder, redis_url, **environment)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop(signal.SIGKILL)
        server.http.close()
