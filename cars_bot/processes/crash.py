"""Places where a process kills itself on request, so that tests can die at exactly the worst moment.

`CRASH_AT=after-outcome` makes the process send itself SIGKILL there: no cleanup runs, as when the machine loses power;
several places are separated by commas. With `CRASH_ONCE=<file>` only the first process to get there dies; the file
records that it happened. `{}` in the file's name stands for the place.
"""

import os
import signal

_CRASH_AT = frozenset(filter(None, os.environ.get("CRASH_AT", "").split(",")))


def crash_point(name: str) -> None:
    """Die here if the environment asks for it; otherwise do nothing, at no cost."""
    if name not in _CRASH_AT:
        return
    if once := os.environ.get("CRASH_ONCE"):
        try:
            os.close(os.open(once.replace("{}", name), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
