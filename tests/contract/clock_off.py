"""python -m tests.contract.clock_off SECONDS celery|raw FILE: a scheduler whose clock is so many seconds ahead."""

import sys
import time
from datetime import datetime, timedelta


def beat(ahead: float, schedule_file: str) -> None:
    """Celery's Beat."""
    from celery_app import celery_app

    right = celery_app.now

    def now() -> datetime:
        return right() + timedelta(seconds=ahead)

    celery_app.now = now
    celery_app.Beat(schedule=schedule_file, loglevel="info").run()


def scheduler(ahead: float, name: str) -> None:
    """The hand-written one."""
    from raw_consumer import logs
    from raw_consumer.scheduler import run_for_ever

    logs.set_up(name, "info")
    run_for_ever(name, lambda: time.time() + ahead)


if __name__ == "__main__":
    {"celery": beat, "raw": scheduler}[sys.argv[2]](float(sys.argv[1]), sys.argv[3])
