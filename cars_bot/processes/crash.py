"""Crash points: places where a process kills itself on request, so that a test can choose the worst moment.

With `CRASH_AT=after-outcome` the process sends itself SIGKILL at that place. No cleanup runs, as after a power cut.
Commas separate several places. With `CRASH_ONCE=<file>` only the first process at the place dies, and the file records
it. In the file's name, `{}` stands for the place.
"""

import os
import signal

_CRASH_AT = frozenset(filter(None, os.environ.get("CRASH_AT", "").split(",")))


def crash_point(name: str) -> None:
    """Kill this process if the environment asks for it. Otherwise do nothing, at no cost."""
    if name not in _CRASH_AT:
        return
    if once := os.environ.get("CRASH_ONCE"):
        try:
            os.close(os.open(once.replace("{}", name), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
