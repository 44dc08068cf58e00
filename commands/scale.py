"""`kit scale celery_worker=3 consumer=2`: change the number of copies that run. The other copies are not touched."""

import argparse

from commands.common.console import Problem, Progress
from commands.common.state import run_dir
from commands.down import stop
from commands.servers.processes import CEILING, SCALABLE, WORKER_STOP_SECONDS
from commands.servers.readiness import Starting
from commands.servers.supervisor import Process, Supervisor, by_name


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("wishes", nargs="+", metavar="NAME=N", help=f"{' or '.join(SCALABLE)}, 0 to {CEILING}")
    parser.add_argument("--timeout", type=float, default=float(WORKER_STOP_SECONDS), metavar="S",
                        help="seconds that a stopping worker gets to finish its jobs (370)")  # fmt: skip


def main(options: argparse.Namespace) -> int:
    wishes = parse(options.wishes)
    run = run_dir()
    supervisor = Supervisor(run)
    with run.locked():
        processes = supervisor.processes()
        title = " · ".join(f"{name}: {count}" for name, count in wishes.items())
        with Progress(title) as line:
            changes = [change(by_name(processes, name), count) for name, count in wishes.items()]
            starting = Starting(supervisor, run.read_env(), line)
            starting.start(process for more, _ in changes for process in more)
            stop(supervisor, [process for _, fewer in changes for process in fewer], options.timeout, line)
            starting.wait(process.name for more, _ in changes for process in more)
    return 0


def parse(wishes: list[str]) -> dict[str, int]:
    """Return {"celery_worker": 3} for ["celery_worker=3"].

    Raises:
        Problem: the name is not scalable, or the number is out of range.
    """
    parsed = {}
    for wish in wishes:
        name, _, count = wish.partition("=")
        if name not in SCALABLE:
            raise Problem(f"{name!r} cannot be scaled", f"these programs can: {', '.join(SCALABLE)}", code=2)
        if not count.isdecimal() or int(count) > CEILING:
            raise Problem(f"{wish!r}: the number must be 0 to {CEILING}", f"./kit scale {name}=3", code=2)
        parsed[name] = int(count)
    return parsed


def change(copies: list[Process], count: int) -> tuple[list[Process], list[Process]]:
    """Return the copies to start and the copies to stop, so that `count` run. The highest numbers stop first."""
    alive = [p for p in copies if p.is_alive]
    asleep = [p for p in copies if not p.is_alive]
    return asleep[: max(0, count - len(alive))], alive[count:]
