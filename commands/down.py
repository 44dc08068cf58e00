"""`kit down`: stop everything. No process, no open port and no name server is left. The data stay."""

import argparse
import contextlib
import os
import signal
import time
from collections.abc import Callable

from commands.common.console import Progress, say
from commands.common.state import RunDir, end_leftovers, living, run_dir
from commands.servers import rabbitmq
from commands.servers.supervisor import Process, Supervisor, by_name

# The programs that use a server stop before the server.
ORDER = (("outside_world", "redis", "rabbitmq"), ("epmd",))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="stop only these, such as: rabbitmq consumer-2")
    parser.add_argument("--timeout", type=float, default=15.0, metavar="S",
                        help="seconds for running jobs to finish; a job that is cut off runs again (15)")  # fmt: skip


def main(options: argparse.Namespace) -> int:
    run = run_dir()
    if options.names:
        supervisor = Supervisor(run)
        processes = supervisor.processes()
        named = [p for name in options.names for p in by_name(processes, name) if p.is_alive]
        with (
            run.locked(),
            Progress(f"Stopped {', '.join(p.name for p in named) or 'nothing: it was not running'}") as line,
        ):
            stop(supervisor, named, options.timeout, line)
        return 0
    if not Supervisor(run).is_up() and not living(run):
        say("The kit is not up.")
        forget(run)
        return 0
    with run.locked():
        bring_down(run, options.timeout)
    return 0


def bring_down(run: RunDir, seconds: float) -> None:
    """Stop all processes of `run`, giving jobs in progress `seconds` to finish. The caller holds the lock."""
    supervisor = Supervisor(run)
    with Progress("Everything is stopped") as line:
        if supervisor.is_up():
            alive = [p for p in supervisor.processes() if p.is_alive]
            servers = [name for stage in ORDER for name in stage]
            stop(supervisor, [p for p in alive if p.program not in servers], seconds, line)
            for stage in ORDER:
                stop(supervisor, [p for p in alive if p.program in stage], rabbitmq.STOP_SECONDS, line)
            supervisor.shutdown()
        end_leftovers(run)
        forget(run)


def forget(run: RunDir) -> None:
    """Remove the addresses, because nobody answers there any more. The secret stays."""
    if run.kit_env.exists():
        run.write_env({name: value for name, value in run.read_env().items() if name == "KIT_SECRET"})
    for path in (run.socket, run.supervisor_pid, run.alias):
        path.unlink(missing_ok=True)


def stop(supervisor: Supervisor, processes: list[Process], seconds: float, line: Progress) -> None:
    """Ask `processes` to end, all at once. Kill the group of each process that takes longer than `seconds`.

    RabbitMQ is killed as soon as its data are safe.
    """
    for process in processes:
        supervisor.stop(process)
    names = {p.name for p in processes}
    is_safe: dict[str, Callable[[], bool]] = {"rabbitmq": lambda: rabbitmq.data_is_safe(supervisor.run)}
    deadline = time.monotonic() + seconds
    while waiting := [p for p in supervisor.processes() if p.name in names and p.is_alive]:
        line.update("waiting for " + ", ".join(p.name for p in waiting))
        for process in waiting:
            if time.monotonic() > deadline or is_safe.get(process.name, bool)():
                kill_group(process.pid)
        time.sleep(0.05)


def kill_group(pid: int) -> None:
    """Kill a process and its children. Supervisor makes each process the leader of a group."""
    if pid > 0:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
