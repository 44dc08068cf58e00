"""python -m tests.contract.clock_off SECONDS celery|raw NAME: a scheduler whose clock is so many seconds ahead.

SECONDS may also be the name of a file that holds the number. The scheduler reads the file each time it looks at the
clock, so a test can set the clock. This program changes the clock that all processes share. For a process whose own
clock is wrong, see `faketime.py`.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path


def ahead(told: str) -> Callable[[], float]:
    """Return a function that gives the seconds by which the clock is ahead."""
    return lambda: float(Path(told).read_text() if Path(told).exists() else told)


def beat(off: Callable[[], float], name: str) -> None:
    """Run Celery's Beat."""
    from celery_app import celery_app

    right = celery_app.now

    def now() -> datetime:
        return right() + timedelta(seconds=off())

    celery_app.now = now
    celery_app.Beat(loglevel="info").run()


def scheduler(off: Callable[[], float], name: str) -> None:
    """Run the hand-written scheduler."""
    from cars_bot.processes import clock
    from raw_consumer.scheduler import run_for_ever
    from raw_consumer.setup import logs

    logs.set_up(name, "info")
    run_for_ever(name, lambda: clock.now() + off())


if __name__ == "__main__":
    {"celery": beat, "raw": scheduler}[sys.argv[2]](ahead(sys.argv[1]), sys.argv[3])
