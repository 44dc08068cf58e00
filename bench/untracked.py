"""The raw lane's worker as it is, but for the runs table and the ledger: what the message's way alone costs.

python -m bench.untracked fill 20000      publish so many no-op jobs, confirmed, and print how many a second
python -m bench.untracked work            a worker with two children; BENCH_TALLY names the file in which they count
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
from cars_bot.context import Context
from cars_bot.outcome import Attempt, Delivery
from cars_bot.settings import settings
from raw_consumer import __main__ as raw
from raw_consumer import envelope, topology
from raw_consumer.publisher import Publisher

NO_DATABASE = "the message's way is measured without a database"
BATCH = 500  # as the API's relay does
CALLERS = 2  # threads that publish: one makes its messages while the other's are on their way


class Tally:
    """How many jobs each child has done, in a file that they write and the benchmark reads; it costs a worker nothing.

    The broker tells only how many messages wait, not how many a worker has taken and not done.
    """

    CHILDREN = 8

    def __init__(self, path: str) -> None:
        with Path(path).open("a+b") as file:
            file.truncate(8 * self.CHILDREN)
            self._cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")

    def add(self, worker: str) -> None:
        """Count one for a child, by its name: `some worker/1`."""
        self._cells[int(worker.rpartition("/")[2])] += 1

    def total(self) -> int:
        """All that was counted since the file was made."""
        return sum(self._cells)


class NoBook:
    """Where nothing is looked up, and nothing written down but that one more is done."""

    def __init__(self) -> None:
        self.tally = Tally(os.environ["BENCH_TALLY"])

    def begin(self, delivery: Delivery, _job: Job, _worker: str) -> Attempt:
        """Every message is a first attempt."""
        return Attempt(1, delivery.args)

    def finish(self, context: Context, _outcome: object, _began: float) -> bool:
        """Nothing is kept, nothing objected to."""
        self.tally.add(context.worker)
        return True

    def end(self, _run_id: str, _error: str) -> bool:
        """There is no run to be ended."""
        return False

    def end_waiting(self, _run_id: str, _lane: str, _error: str, _holder: str | None = None) -> bool:
        """There is no run to be ended."""
        return False

    def lost(self, *_about: object) -> None:
        """Nothing is noted."""

    def is_revoked(self, _run_id: str) -> bool:
        """Nobody revokes anything."""
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
    """A run of the job that does nothing, as `envelope.message` makes it."""
    properties = pika.BasicProperties(
        message_id=str(uuid4()), type="debug_task", content_type=envelope.JSON_TYPE, delivery_mode=envelope.PERSISTENT,
        priority=0, app_id=envelope.APP_ID, timestamp=int(time.time()),
    )  # fmt: skip
    return envelope.Message(*topology.route("default"), properties, b"{}")


def work() -> int:
    """Run the worker."""
    nothing: Any = NoBook()
    raw.DATABASE_BOOK = nothing
    database.forbid(NO_DATABASE)
    ledger.be_silent()
    sys.argv = ["raw_consumer", "worker", "--concurrency", "2", "--log-level", "warning"]
    return raw.main()


if __name__ == "__main__":
    raise SystemExit(work() if sys.argv[1] == "work" else fill(int(sys.argv[2])))
