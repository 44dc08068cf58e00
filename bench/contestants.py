"""Contestants: for each, the way to fill its queue, to start its worker, and to count the jobs that are left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pika

ROOT = Path(__file__).resolve().parent.parent
CONCURRENCY = "2"
_FILL_LANE = """
import sys
from api.publishing import lanes
from cars_bot import database, outbox, runs
from cars_bot.database import schema
from cars_bot.catalogue import JOBS
lane, count = sys.argv[1], int(sys.argv[2])
schema.create_tables()
with database.writing() as connection:
    ids = [runs.accept(connection, JOBS["debug_task"], lane, {}) for _ in range(count)]
left = set(ids)
while left:
    with database.statements() as connection:
        batch = outbox.unpublished(connection, lane, 500)
    confirmed = lanes.publish(lane, batch)
    outbox.mark_published(confirmed)
    left -= set(confirmed)
lanes.close()
"""
_FILL_STOCK = """
import sys
from bench.stock import app, noop
with app.producer_pool.acquire() as producer:
    for _ in range(int(sys.argv[1])):
        noop.apply_async(producer=producer)
"""
_COUNT_OPEN = """
import sys
from sqlalchemy import func, select
from cars_bot import database
from cars_bot.database.models import runs
question = select(func.count()).where(runs.c.finished_at.is_(None))
for _ in sys.stdin:
    with database.statements() as connection:
        print(connection.execute(question).scalar_one(), flush=True)
"""


class Left(Protocol):
    """Counter of a contestant's jobs that are left. The benchmark asks it every `look_every` seconds."""

    look_every: float

    def __call__(self) -> int:
        """Return the number of jobs that are left."""

    def close(self) -> None:
        """Free what the counting needed."""


class Counter:
    """Counter of open runs. It has its own process, so that the benchmark can change databases while it runs."""

    look_every = 0.1  # often enough for a drain of seconds, and seldom enough not to slow it

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COUNT_OPEN],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait()


class QueueLength:
    """Counter of the ready messages in a queue. Stock Celery shows no more."""

    look_every = 0.1

    def __init__(self, environment: dict[str, str], queue: str = "celery") -> None:
        self.queue = queue
        self.connection = pika.BlockingConnection(pika.URLParameters(environment["RMQ_URL"]))
        self.channel = self.connection.channel()

    def __call__(self) -> int:
        declared = self.channel.queue_declare(self.queue, passive=True)
        return int(declared.method.message_count)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


@dataclass(frozen=True)
class Contestant:
    """One contestant. `fill` and `worker` are arguments of Python; `left` makes the counter of the open jobs."""

    name: str
    fill: list[str]
    worker: list[str]
    left: Callable[[dict[str, str]], Left]

    def load(self, count: int, environment: dict[str, str]) -> None:
        """Put `count` no-op jobs into the queue."""
        subprocess.run([sys.executable, *self.fill, str(count)], cwd=ROOT, env=environment, check=True)

    def start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a worker in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, *self.worker], cwd=ROOT, env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def stop(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and all processes that it started."""
    worker.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        worker.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)


# All of them log warnings only, and no line for each job.
_CELERY = ["-m", "celery", "-A", "celery_app", "worker", "-l", "warning", "--concurrency", CONCURRENCY]
_STOCK = ["-m", "celery", "-A", "bench.stock", "worker", "-l", "warning", "--concurrency", CONCURRENCY]
_RAW = ["-m", "raw_consumer", "worker", "--log-level", "warning", "--concurrency", CONCURRENCY]

STOCK = Contestant("stock Celery", ["-c", _FILL_STOCK], _STOCK, QueueLength)
LANES = {
    "celery": Contestant("Celery lane", ["-c", _FILL_LANE, "celery"], _CELERY, Counter),
    "raw": Contestant("raw lane", ["-c", _FILL_LANE, "raw"], _RAW, Counter),
}


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a contestant: the machine's, and the addresses of its servers."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **settings}
