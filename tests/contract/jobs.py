"""Jobs that misbehave on purpose. The kit under test learns of them through `EXTRA_JOBS=tests.contract.jobs`."""

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from cars_bot.catalogue import QUEUES, Job
from cars_bot.context import Context
from cars_bot.errors import Permanent, Retryable
from cars_bot.policy import Policy, Rate
from tests.faults.jobs import announce

QUICK = Policy(max_retries=2, backoff_base=0.2, backoff_max=1.0)
LIMITED = Policy(rate=Rate(5, window=2.0, per="name"))
SHORT_LIMITS = Policy(max_retries=0, soft_time_limit=1.0, hard_time_limit=3.0)


def fail_times(context: Context, times: int) -> dict[str, Any]:
    """Fail the first `times` attempts in a way that may pass."""
    if context.attempt <= times:
        raise Retryable(f"attempt {context.attempt} fails on purpose")
    context.effect("test", context.run_id)
    return {"attempt": context.attempt}


def refuse(context: Context) -> None:
    """Fail in a way that will never pass."""
    raise Permanent("no")


def break_down(context: Context) -> None:
    """Fail with an unexpected error."""
    raise ZeroDivisionError("a bug")


def kill_own_process(context: Context) -> None:
    """Kill the process that runs it."""
    os.kill(os.getpid(), signal.SIGKILL)


def overrun(context: Context, seconds: float) -> None:
    """Work longer than the soft limit of one second allows."""
    time.sleep(seconds)


def overrun_stubbornly(context: Context, seconds: float) -> None:
    """Ignore the soft limit as well, as `except Exception` does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            time.sleep(until - time.monotonic())
        except Exception:  # noqa: S112 - this is the mistake it is about
            continue


def work_on_stubbornly(context: Context, path: str, seconds: float) -> None:
    """Write down the process id, then work. Only SIGKILL can end it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with Path(path).open("a") as trace:
        trace.write(f"{os.getpid()}\n")
    context.effect("test", context.run_id)
    time.sleep(seconds)


def first_step(context: Context, path: str) -> str:
    """Begin a workflow."""
    context.effect("step", context.run_id)
    return "first"


def armed_step(context: Context, path: str) -> str:
    """Let this process die once at the place that CRASH_AT names, if CRASH_ONCE is set."""
    if once := os.environ.get("CRASH_ONCE"):
        Path(once).unlink(missing_ok=True)
    context.effect("step", context.run_id)
    return "armed"


def step_that_needs_a_file(context: Context, path: str) -> str:
    """Fail for good unless the file exists."""
    if not Path(path).exists():
        raise Permanent("it is not there")
    context.effect("step", context.run_id)
    return "found"


def last_step(context: Context, path: str) -> str:
    """End a workflow."""
    context.effect("step", context.run_id)
    return "last"


def write_and_fail(context: Context) -> None:
    """Ask for an effect and then fail. The effect must not become visible."""
    context.effect("test", context.run_id)
    raise Permanent("after asking for an effect")


def big_result(context: Context) -> str:
    """Return more than a result may hold."""
    return "x" * 300_000


def die_once(context: Context) -> int:
    """Kill the process at the first attempt; have an effect at a further one."""
    if context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    context.effect("test", context.run_id)
    return context.attempt


def name_process(context: Context) -> int:
    """Return the id of the process that does the work."""
    return os.getpid()


def speak(context: Context, words: str) -> None:
    """Write a line into the log, as any library might."""
    logging.getLogger("tests.contract.jobs").warning("%s", words)


def keep_list(context: Context, data: list[Any]) -> int:
    """Count the items of a list, however deeply it is nested."""
    return len(data)


def limited(context: Context, name: str) -> float:
    """Work under a limit of five in two seconds; return the time (seconds since 1970)."""
    return time.time()


JOBS = [
    *(Job(f.__name__, f, QUEUES["default"], QUICK)
      for f in (first_step, armed_step, step_that_needs_a_file, last_step)),
    *(Job(f.__name__, f, QUEUES["default"], QUICK)
      for f in (fail_times, refuse, break_down, kill_own_process, write_and_fail, big_result, work_on_stubbornly,
                die_once, name_process, speak, keep_list)),
    Job("announce", announce, QUEUES["default"], QUICK),
    Job("limited", limited, QUEUES["default"], LIMITED),
    *(Job(f.__name__, f, QUEUES["default"], SHORT_LIMITS) for f in (overrun, overrun_stubbornly)),
]  # fmt: skip
WORKFLOWS = {
    "crash_in_the_middle": ("first_step", "armed_step", "last_step"),
    "need_a_file": ("first_step", "step_that_needs_a_file", "last_step"),
}
