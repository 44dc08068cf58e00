"""Process faults of a comparison: kill a worker, kill a child, freeze a worker. Only workers of this machine, and ours.

They are allowed in a kit that `kit up` started (KIT_CONTROLS=1), and never in containers.
"""

import os
import signal
import subprocess
from contextlib import suppress

from api.comparing import worker_processes
from cars_bot.comparisons import rows
from cars_bot.settings import settings


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
    children = worker_processes.children(parent)
    if what == "kill-child":
        child = next((pid for pid in children if pid in busy), None) or next(iter(children), None)
        if child is None:
            raise NotCaused(f"{name} has no child")
        os.kill(child, signal.SIGKILL)
        return f"SIGKILL to process {child}, a child of {name}"
    os.kill(parent, signal.SIGSTOP)  # stopped first, so it cannot report for its children
    group = [*worker_processes.children(parent), parent]
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
    here = [worker for worker in worker_processes.here() if worker.lane == lane]
    here.sort(key=lambda worker: (worker.pid not in parents, worker.name))
    if not here:
        raise NotCaused(f"no worker of the {lane} lane runs on this machine")
    if not holders:
        raise NotCaused(f"no worker of the {lane} lane was at work any more")
    return here[0].pid, here[0].name, busy


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
