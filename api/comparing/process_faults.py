"""Process faults of a comparison: kill a worker, kill a child, freeze a worker. Only workers of this machine, and ours.

They are allowed in a kit that `kit up` started (KIT_CONTROLS=1), and never in containers.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from cars_bot.comparisons import rows
from cars_bot.processes import liveness
from cars_bot.settings import settings

PROGRAMS = {"celery": b"celery", "raw": b"raw_consumer"}  # a word in the command line of each lane's worker


class NotCaused(Exception):
    """The fault was not caused; the message says why."""


def cause(what: str, lane: str, comparison: str, seconds: float) -> tuple[str, str]:
    """Cause a process fault. Return the name of the worker, and a sentence.

    Args:
        comparison: a worker that is at work on a run of this comparison is chosen before others.
        seconds: the length of a freeze.

    Raises:
        NotCaused: faults are not allowed here, or there is no worker to choose.
        StorageUnavailable: the workers cannot be read.
    """
    if not settings().controls:
        raise NotCaused("process faults are off here; they work in a kit that ./kit up started")
    try:
        parent, name, busy = _victim(lane, comparison)
        return name, _done_to(what, parent, name, busy, seconds)
    except ProcessLookupError as error:
        raise NotCaused("the worker ended by itself a moment before") from error


def _done_to(what: str, parent: int, name: str, busy: set[int], seconds: float) -> str:
    children = _children(parent)
    if what == "kill-child":
        child = next((pid for pid in children if pid in busy), None) or next(iter(children), None)
        if child is None:
            raise NotCaused(f"{name} has no child")
        os.kill(child, signal.SIGKILL)
        return f"SIGKILL to process {child}, a child of {name}"
    os.kill(parent, signal.SIGSTOP)  # stopped first, so it cannot report for its children
    group = [*_children(parent), parent]
    if what == "freeze-worker":
        _signal(group, signal.SIGSTOP)
        # A process of its own ends the freeze, also if the API is killed meanwhile.
        thaw = f"sleep {seconds:.3f}; kill -CONT {' '.join(map(str, group))}"
        subprocess.Popen(["sh", "-c", thaw], start_new_session=True, stderr=subprocess.DEVNULL)
        return f"SIGSTOP to {name} for {seconds:g} s"
    _signal(group, signal.SIGKILL)
    return f"SIGKILL to {name} and its {len(group) - 1} children"


def _victim(lane: str, comparison: str) -> tuple[int, str, set[int]]:
    """Return a worker's process, its name, and the processes of the lane that are at work on the comparison."""
    holders = [run["holder"] for run in rows.at_work(comparison, lane) if run["holder"]]
    parents, busy = set(), set()
    for holder in holders:
        family, _, process = holder.partition("/")
        parents.add(int(family.split("-")[1]))
        busy.add(int(process.split("-")[0]))
    here = [
        worker
        for worker in liveness.alive()
        if worker["lane"] == lane and worker["host"] == socket.gethostname()[:128] and _is_ours(worker["pid"], lane)
    ]
    here.sort(key=lambda worker: (worker["pid"] not in parents, worker["name"]))
    if not here:
        raise NotCaused(f"no worker of the {lane} lane runs on this machine")
    return here[0]["pid"], here[0]["name"], busy


def _is_ours(pid: int, lane: str) -> bool:
    """Return whether a process is a worker of this kit: its program and its run directory say so."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return PROGRAMS[lane] in words and _run_dir(environment) == settings().run_dir.resolve()


def _run_dir(environment: list[bytes]) -> Path | None:
    name = b"KIT_RUN_DIR="
    found = [os.fsdecode(line.removeprefix(name)) for line in environment if line.startswith(name)]
    return Path(found[0]).resolve() if found else None


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
