"""The raw lane's worker without the runs table and the ledger: it shows the cost of the message's way alone.

    python -m bench.untracked fill 20000      publish 20000 no-op jobs; print confirmed messages a second
    python -m bench.untracked work            run a worker with two children; they count in the file BENCH_TALLY

All the rest is the worker of the lane, unchanged.
"""

import mmap
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika

from cars_bot import database, ledger
from cars_bot.catalogue import Job
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.settings import settings
from raw_consumer import __main__ as raw
from raw_consumer import envelope, topology
from raw_consumer.publisher import Publisher

NO_DATABASE = "bench.untracked measures the way of a message without a database; use bench for tracked runs"
BATCH = 500  # as in the API's relay
CALLERS = 2  # threads that publish: one makes its messages while the other waits for its confirms


class Tally:
    """The number of jobs that each child has done. The children write it to a mapped file, at no cost.

    The broker only knows how many messages wait. It does not know how many a worker has taken and not done.
    """

    CHILDREN = 8

    def __init__(self, path: str) -> None:
        with Path(path).open("a+b") as file:
            file.truncate(8 * self.CHILDREN)
            self._cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")

    def add(self, worker: str) -> None:
        """Count one job for the child of that name, such as `some worker/1`."""
        self._cells[int(worker.rpartition("/")[2])] += 1

    def total(self) -> int:
        """Return the sum of all counts since the file was made."""
        return sum(self._cells)


class NoStore:
    """A store without a database: it looks nothing up, and only counts the jobs that are done."""

    def __init__(self) -> None:
        self.tally = Tally(os.environ["BENCH_TALLY"])

    def begin(self, delivery: Delivery, _job: Job, _worker: str) -> Attempt:
        """Treat every message as a first attempt."""
        return Attempt(1, delivery.args)

    def record(self, context: Context, _outcome: object, _began: float) -> bool:
        """Count the job. Return True: the outcome is always accepted."""
        self.tally.add(context.worker)
        return True

    def fail(self, _run_id: str, _error: str) -> bool:
        """Return False: there is no run to end."""
        return False

    def fail_waiting(self, _run_id: str, _lane: str, _error: str, _holder: str | None = None) -> bool:
        """Return False: there is no run to end."""
        return False

    def record_loss(self, *_about: object) -> None:
        """Record nothing."""

    def is_revoked(self, _run_id: str) -> bool:
        """Return False: nobody revokes anything here."""
        return False


def fill(count: int) -> None:
    """Publish `count` jobs; print confirmed messages a second."""
    database.forbid(NO_DATABASE)
    publisher = Publisher(settings().rmq_url)

    def publish(left: int) -> None:
        while left:
            left -= sum(publisher.send([message() for _ in range(left)], timeout=10.0))

    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(publish, [BATCH] * (count // BATCH) + [count % BATCH]))
    print(count / (time.monotonic() - began))
    publisher.close()


def message() -> envelope.Message:
    """Return the message of a no-op job, in the same form as from `envelope.message`."""
    properties = pika.BasicProperties(
        message_id=str(uuid4()), type="debug_task", content_type=envelope.JSON_TYPE, delivery_mode=envelope.PERSISTENT,
        priority=0, app_id=envelope.APP_ID, timestamp=int(time.time()),
    )  # fmt: skip
    return envelope.Message(*topology.route("default"), properties, b"{}")


def work() -> int:
    """Run the worker."""
    nothing: Any = NoStore()
    vars(raw)["DATABASE_STORE"] = nothing
    database.forbid(NO_DATABASE)
    ledger.be_silent()
    sys.argv = ["raw_consumer", "worker", "--concurrency", "2", "--log-level", "warning"]
    return raw.main()


if __name__ == "__main__":
    if sys.argv[1] == "work":
        raise SystemExit(work())
    fill(int(sys.argv[2]))
