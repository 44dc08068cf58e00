"""Readiness of processes: conditions on their work, never a sleep, and an error for one that is not ready in time."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable

from commands.common.console import Problem, Progress
from commands.servers import amqp, redis_server
from commands.servers.ports import listener_is
from commands.servers.supervisor import Process, Supervisor

DEADLINE = 60.0  # seconds; enough for a slow machine under load, far more than usual
LOG_LINES = 15
no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http_answers(url: str) -> bool:
    """Return whether an HTTP server answers at `url` with anything but a server error (5xx)."""
    try:
        no_proxy.open(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False
    return True


def raw_worker_reports(process: Process) -> bool:
    """Return whether this very worker has reported its children to Redis. Without Redis, a running worker counts."""
    import redis

    from cars_bot.processes.raw_worker_state import workers

    try:
        return any(worker["pid"] == process.pid for worker in workers())
    except redis.RedisError:
        return process.state == "RUNNING"


class PortTaken(Problem):
    """Another program listens on a port that was free when we chose it."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(f"another program has taken port {port} of {name}", "./kit restart   chooses another")


class Starting:
    """The processes that are starting, watched together.

    Args:
        values: the addresses, by the names they have in kit.env.
    """

    def __init__(self, supervisor: Supervisor, values: dict[str, str], line: Progress) -> None:
        self._supervisor = supervisor
        self._line = line
        self._ports = {name: int(port) for name, _, port in (p.partition("=") for p in values["KIT_PORTS"].split(","))}
        self._log_sizes: dict[str, int] = {}
        self._pids: dict[str, set[int]] = {}
        self._conditions: dict[str, Callable[[Process], bool]] = {
            "epmd": lambda _: True,
            "rabbitmq": lambda _: amqp.why_not(values["RMQ_URL"]) is None,
            "redis": lambda _: redis_server.why_not(values["REDIS_URL"]) is None,
            "outside_world": lambda _: http_answers(values["OUTSIDE_WORLD_URL"] + "/healthz"),
            "api": lambda _: http_answers(values["KIT_URL"] + "/readyz"),
            "flower": lambda _: http_answers(values["FLOWER_URL"]),
            "celery_worker": lambda p: " ready." in self._logged(p),
            "consumer": raw_worker_reports,
            "celery_beat": lambda p: "beat: Starting" in self._logged(p),
            "scheduler": lambda p: p.state == "RUNNING",  # a spare scheduler prints nothing
        }

    def start(self, processes: Iterable[Process]) -> None:
        for process in processes:
            self._log_sizes[process.name] = process.log.stat().st_size if process.log.exists() else 0
            self._supervisor.start(process)

    def wait(self, names: Iterable[str], deadline: float = DEADLINE) -> None:
        """Return when every process called one of `names` is ready.

        Raises:
            Problem: one of them gave up or the deadline passed. The problem carries the end of its log.
        """
        missing = list(names)
        until = time.monotonic() + deadline
        while missing:
            self._line.update("waiting for " + ", ".join(missing))
            processes = {p.name: p for p in self._supervisor.processes()}
            for name in list(missing):
                if self._is_ready(processes[name]):
                    missing.remove(name)
                elif why := self._in_the_way(processes[name], time.monotonic() > until):
                    raise Problem(f"{name} {why}", f"its whole log: ./kit logs {name}", detail=tail(processes[name]))
            if missing:
                time.sleep(0.05)

    def _is_ready(self, process: Process) -> bool:
        """Return whether a process does its work. It must itself listen on its port, not another kit's server.

        Raises:
            PortTaken: another program listens on its port.
        """
        port = self._ports.get(process.program)
        if process.state not in ("STARTING", "RUNNING") or not process.pid:
            return False
        if port is None or (ours := listener_is(port, process.pid)):
            return self._conditions[process.program](process)
        if ours is False and not self._has_restarted(process):
            raise PortTaken(process.name, port)
        return False

    def _has_restarted(self, process: Process) -> bool:
        return all(p.pid != process.pid for p in self._supervisor.processes() if p.name == process.name)

    def _in_the_way(self, process: Process, too_late: bool) -> str:
        if self._gave_up(process):
            return "ends soon after it is started"
        return "is not ready in time" if too_late else ""

    def _gave_up(self, process: Process) -> bool:
        """Return whether the process keeps ending. A second start may be bad luck; a third start is a fault."""
        pids = self._pids.setdefault(process.name, set())
        if process.pid:
            pids.add(process.pid)
        return process.state in ("FATAL", "STOPPED") or len(pids) > 2

    def _logged(self, process: Process) -> str:
        """Return the text that a process has logged since its start."""
        with process.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(self._log_sizes.get(process.name, 0))
            return log.read()


def tail(process: Process, lines: int = LOG_LINES) -> str:
    """Return the end of a process's log, as one text."""
    try:
        text = process.log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return f"{process.log} is empty"
    return "\n".join(f"  {process.name} │ {line}" for line in text.splitlines()[-lines:])
