"""Client of the supervisord of one kit, over its unix socket."""

import http.client
import socket
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.common.console import NOT_UP, Problem
from commands.common.state import RunDir, is_alive

ALIVE = ("STARTING", "RUNNING", "BACKOFF", "STOPPING")


@dataclass(frozen=True)
class Process:
    """One copy of a program, as supervisor sees it."""

    name: str  # celery_worker-1
    program: str  # celery_worker
    state: str  # STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL
    pid: int
    started: int  # seconds since the epoch, as supervisor counts them
    now: int
    log: Path

    @property
    def id(self) -> str:
        """The name that supervisor's commands take."""
        return f"{self.program}:{self.name}"

    @property
    def is_alive(self) -> bool:
        return self.state in ALIVE

    @property
    def uptime_seconds(self) -> int:
        return max(0, self.now - self.started) if self.state == "RUNNING" else 0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


class Supervisor:
    """The supervisord of `run`. It may be up or not."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._call = xmlrpc.client.ServerProxy("http://kit", transport=_UnixTransport(run.socket)).supervisor

    def is_up(self) -> bool:
        try:
            return self._call.getState()["statename"] == "RUNNING"  # type: ignore[index,call-overload]
        except (OSError, http.client.HTTPException):
            return False

    def launch(self, environment: dict[str, str]) -> int:
        """Start supervisord and return its pid. Everything that it starts inherits `environment`.

        Raises:
            Problem: supervisord ended at once or does not answer.
        """
        self.run.socket.unlink(missing_ok=True)
        output = self.run.logs / "supervisord.out"
        with output.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.run.supervisor_conf)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 15
        while not self.is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Problem("supervisord did not start", "./kit doctor", detail=output.read_text()[-2000:])
            time.sleep(0.03)
        return process.pid

    def processes(self) -> list[Process]:
        """Return all copies, running or not, in the order of their declaration.

        Raises:
            Problem: the kit is not up.
        """
        try:
            listed: Any = self._call.getAllProcessInfo()
        except (OSError, http.client.HTTPException) as error:
            raise Problem("the kit is not up", "./kit up", code=NOT_UP) from error
        return [
            Process(p["name"], p["group"], p["statename"], p["pid"], p["start"], p["now"], Path(p["stdout_logfile"]))
            for p in listed
        ]

    def start(self, process: Process) -> None:
        self._ask("startProcess", process)

    def stop(self, process: Process) -> None:
        """Send SIGTERM. `processes()` shows the end of the process."""
        self._ask("stopProcess", process)

    def _ask(self, method: str, process: Process) -> None:
        try:
            getattr(self._call, method)(process.id, False)
        except xmlrpc.client.Fault as fault:
            if not fault.faultString.startswith(("ALREADY_STARTED", "NOT_RUNNING")):
                raise Problem(f"supervisor: {fault.faultString}", f"./kit logs {process.name}") from fault

    def shutdown(self) -> None:
        """End supervisord itself. It ends all processes that still run."""
        try:
            pid: Any = self._call.getPID()
            self._call.shutdown()
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault):
            return
        deadline = time.monotonic() + 10
        while is_alive(pid) and time.monotonic() < deadline:
            self.is_up()  # each request wakes its loop, which otherwise wakes once a second
            time.sleep(0.03)


def by_name(processes: list[Process], name: str) -> list[Process]:
    """Return the copies that `name` means: all copies of a program, or one copy.

    Raises:
        Problem: no process has this name.
    """
    if meant := [p for p in processes if name in (p.program, p.name)]:
        return meant
    known = dict.fromkeys(p.program for p in processes)
    raise Problem(f"no process is called {name!r}", f"choose from: {', '.join(known)}", code=2)
