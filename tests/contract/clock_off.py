"""python -m tests.contract.clock_off SECONDS celery|raw NAME: a scheduler whose clock is so many seconds ahead.

Instead of SECONDS a file may be named that holds them; it is read at each look at the clock, so the clock can be set.
What is off here is the clock that all processes share. A process whose own clock alone is off: `faketime.py`.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path


def ahead(told: str) -> Callable[[], float]:
    """Seconds that the clock is ahead."""
    return lambda: float(Path(told).read_text() if Path(told).exists() else told)


def beat(off: Callable[[], float], name: str) -> None:
    """Celery's Beat."""
    from celery_app import celery_app

    right = celery_app.now

    def now() -> datetime:
        return right() + timedelta(seconds=off())

    celery_app.now = now
    celery_app.Beat(loglevel="info").run()


def scheduler(off: Callable[[], float], name: str) -> None:
    """The hand-written one."""
    from cars_bot.processes import clock
    from raw_consumer import logs
    from raw_consumer.scheduler import run_for_ever

    logs.set_up(name, "info")
    run_for_ever(name, lambda: clock.now() + off())


if __name__ == "__main__":
    {"celery": beat, "raw": scheduler}[sys.argv[2]](ahead(sys.argv[1]), sys.argv[3])
