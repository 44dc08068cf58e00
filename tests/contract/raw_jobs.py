"""Jobs that leave a trace: each start is a line in a file, written before anything can go wrong."""

import os
import signal
import time
from pathlib import Path

from cars_bot import clients
from cars_bot.catalogue import QUEUES, Job
from cars_bot.context import Context
from cars_bot.errors import Throttled
from cars_bot.policy import Policy

clients.preload = lambda lane: None  # these jobs call no outside service, so a worker starts in half the time

QUICK = Policy(max_retries=2, backoff_base=0.2, backoff_max=1.0)


def _trace(context: Context, path: str, text: str) -> int:
    """Append a line to the file. Return how many lines this run has there."""
    with Path(path).open("a") as file:
        file.write(f"{time.time():.4f} {os.getpid()} {context.run_id} {text}\n")
    return Path(path).read_text().count(context.run_id)


def trace(context: Context, path: str, text: str = "", seconds: float = 0.0) -> None:
    """Leave a trace, work for a while, have an effect."""
    _trace(context, path, text)
    time.sleep(seconds)
    context.effect("test", context.run_id)


def slow_once(context: Context, path: str, seconds: float) -> None:
    """Work for a while at the first start, and not at all at the second."""
    if _trace(context, path, "") == 1:
        time.sleep(seconds)
    context.effect("test", context.run_id)


def wait_as_told(context: Context, path: str, seconds: float) -> None:
    """Be throttled at the first start; succeed at the second."""
    if _trace(context, path, "") == 1:
        raise Throttled("come back later", seconds)
    context.effect("test", context.run_id)


def die(context: Context, path: str) -> None:
    """Kill the process, every time."""
    _trace(context, path, "")
    os.kill(os.getpid(), signal.SIGKILL)


def overrun(context: Context, path: str, seconds: float) -> None:
    """Work longer than the hard limit allows, and let nothing interrupt it."""
    _trace(context, path, "")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            time.sleep(0.1)
        except Exception:  # noqa: S112 - this is the mistake it is about
            continue


_LIMITS = Policy(max_retries=2, soft_time_limit=0.5, hard_time_limit=1.5)
JOBS = [
    *(Job(f.__name__, f, QUEUES["default"], QUICK) for f in (trace, slow_once, wait_as_told, die)),
    Job("trace_elsewhere", trace, QUEUES["monitoring"], QUICK),
    Job("overrun", overrun, QUEUES["default"], _LIMITS),
    Job("interrupted", trace, QUEUES["default"], _LIMITS),
]
