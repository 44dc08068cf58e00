"""Kit faults of a comparison: workers are killed, frozen or multiplied, the broker is cut off or starts again.

Another one empties Redis. They concern only processes of this kit on this machine. They are allowed in a kit that
`kit up` started (KIT_CONTROLS=1), and never in containers.
"""

import os
import signal
import subprocess
from contextlib import suppress

import redis

from api.comparing import kit_processes
from api.comparing.kit_processes import Worker
from cars_bot import ledger
from cars_bot.comparisons import rows
from cars_bot.comparisons.request import Condition
from cars_bot.settings import settings

_cutting: subprocess.Popen[bytes] | None = None  # the command that cuts the connections now
COPIES = {"celery": "celery_worker", "raw": "consumer"}  # the program of each lane, for `kit scale`


class NotCaused(Exception):
    """The fault was not caused; the message says why."""


class NotYet(Exception):
    """The fault is on its way; ask again."""


class NobodyAtWork(Exception):
    """No worker of the lane is at work on the comparison now."""


def cause(condition: Condition, lane: str | None, comparison: str) -> tuple[str | None, str]:
    """Cause a fault. Return the name of the worker that it strikes, or None, and a sentence.

    Args:
        lane: None for a fault that concerns all lanes.
        comparison: a worker that is at work on a run of this comparison is chosen before others.

    Raises:
        NotCaused: faults are not allowed here, or there is nothing to strike.
        NotYet: the fault is on its way; call this again a moment later.
        NobodyAtWork: the fault strikes a job, and no job is at work at this moment.
        StorageUnavailable: the workers cannot be read.
    """
    if not settings().controls:
        raise NotCaused("faults of the kit are off here; they work in a kit that ./kit up started")
    if condition.what in OF_ALL_LANES:
        return None, OF_ALL_LANES[condition.what]()
    assert lane is not None
    if condition.what == "scale":
        kit_processes.type_in(["scale", f"{COPIES[lane]}={condition.workers}"])
        return None, f"./kit scale {COPIES[lane]}={condition.workers}"
    try:
        worker = _victim(lane, comparison)
        return worker.name, _done_to(worker, condition, comparison)
    except ProcessLookupError as error:
        raise NotCaused("the worker ended by itself a moment before") from error


def _restart_broker() -> str:
    if not kit_processes.has_server("rabbitmq"):
        raise NotCaused("RabbitMQ is not this kit's own, so it is left alone")
    kit_processes.type_in(["restart", "rabbitmq"])
    return "./kit restart rabbitmq"


def _cut_connections() -> str:
    if not kit_processes.has_server("rabbitmq"):
        raise NotCaused("RabbitMQ is not this kit's own, so its connections are left alone")
    global _cutting
    if _cutting is None:
        words = ["exec", "rabbitmqctl", "close_all_connections", "a comparison cuts them"]
        _cutting = kit_processes.type_in(words, subprocess.PIPE)
        assert _cutting.stdout is not None
        os.set_blocking(_cutting.stdout.fileno(), False)
    said, code = _cutting.stdout.read() if _cutting.stdout else b"", _cutting.poll()
    if code is None and b"Closed" not in (said or b""):
        raise NotYet  # the tool takes a second or two to start
    _cutting = None
    if code:
        raise NotCaused(f"rabbitmqctl ended with exit code {code}")
    return "./kit exec rabbitmqctl close_all_connections"


def _empty_redis() -> str:
    if not kit_processes.has_server("redis"):
        raise NotCaused("Redis is not this kit's own, so it is left alone")
    try:
        ledger.connect().flushall()
    except redis.RedisError as error:
        raise NotCaused(f"Redis does not answer: {error}") from error
    return "FLUSHALL"


OF_ALL_LANES = {"restart-broker": _restart_broker, "cut-connections": _cut_connections, "empty-redis": _empty_redis}


def _done_to(worker: Worker, condition: Condition, comparison: str) -> str:
    """Strike a worker while it has a job of the comparison in hand. Return a sentence.

    A short job can end between a look at its row and the signal. So the worker is stopped first, its parent before its
    children, and the rows are read again: nothing moves now. A worker without a job goes on unharmed.
    """
    os.kill(worker.pid, signal.SIGSTOP)
    children = kit_processes.children(worker.pid)
    group = [*children, worker.pid]
    _signal(children, signal.SIGSTOP)
    going_on = group
    try:
        busy = _at_work(worker.lane, comparison).intersection(group)
        if not busy:
            raise NobodyAtWork
        if condition.what == "freeze-worker":
            # A process of its own ends the freeze, also if the API is killed meanwhile.
            thaw = f"sleep {condition.seconds:.3f}; kill -CONT {' '.join(map(str, group))}"
            subprocess.Popen(["sh", "-c", thaw], start_new_session=True, stderr=subprocess.DEVNULL)
            going_on = []
            return f"SIGSTOP to {worker.name} for {condition.seconds:g} s"
        if condition.what == "kill-child":
            child = next((pid for pid in children if pid in busy), None)
            if child is None:
                raise NotCaused(f"{worker.name} has no child")
            os.kill(child, signal.SIGKILL)
            return f"SIGKILL to process {child}, a child of {worker.name}"
        _signal(group, signal.SIGKILL)
        return f"SIGKILL to {worker.name} and its {len(children)} children"
    finally:
        _signal(going_on, signal.SIGCONT)


def _victim(lane: str, comparison: str) -> Worker:
    """Return a worker of the lane that is at work on the comparison.

    Raises:
        NotCaused: no worker of the lane runs on this machine.
        NobodyAtWork: no worker has a job of the comparison in hand.
    """
    here = [worker for worker in kit_processes.workers() if worker.lane == lane]
    if not here:
        raise NotCaused(f"no worker of the {lane} lane runs on this machine")
    busy = _at_work(lane, comparison)
    for worker in sorted(here, key=lambda worker: worker.name):
        if busy.intersection([worker.pid, *kit_processes.children(worker.pid)]):
            return worker
    raise NobodyAtWork


def _at_work(lane: str, comparison: str) -> set[int]:
    """Return the ids of the processes that have a run of the comparison in hand.

    The name of a holder is "PLACE-PID-START/PID-START": first the worker, then the process.
    """
    holders = [run["holder"] for run in rows.at_work(comparison, lane) if run["holder"]]
    return {int(holder.partition("/")[2].split("-")[0]) for holder in holders}


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
