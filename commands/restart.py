"""`kit restart [NAME…]`: stop and start everything, or only the named processes.

The processes then use code and settings that have changed.
"""

import argparse

from commands import down, up
from commands.common.console import Progress
from commands.common.state import run_dir
from commands.down import bring_down, stop
from commands.servers.readiness import Starting
from commands.servers.supervisor import Supervisor, by_name


def arguments(parser: argparse.ArgumentParser) -> None:
    down.arguments(parser)


def main(options: argparse.Namespace) -> int:
    run = run_dir()
    if not options.names:
        with run.locked():
            bring_down(run, options.timeout)
        up.bring_up(run)
        up.say_where(run)
        return 0
    supervisor = Supervisor(run)
    with run.locked():
        processes = supervisor.processes()
        named = [p for name in options.names for p in by_name(processes, name) if p.is_alive]
        with Progress(f"Restarted {', '.join(p.name for p in named) or 'nothing: it was not running'}") as line:
            stop(supervisor, named, options.timeout, line)
            starting = Starting(supervisor, run.read_env(), line)
            starting.start(named)
            starting.wait(p.name for p in named)
    return 0
