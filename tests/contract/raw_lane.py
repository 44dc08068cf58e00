"""The raw lane alone on real servers: one RabbitMQ and one Redis, a virtual host and a database for each test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pika
import pytest
from dotenv import dotenv_values
from sqlalchemy import func, select

from api.dead_letters import letter_queue
from cars_bot import database, outbox, runs
from cars_bot.database import schema
from cars_bot.database.models import effects, metadata
from cars_bot.settings import settings
from raw_consumer import topology
from raw_consumer.publisher import Publisher
from tests.contract import raw_jobs
from tests.kit import NO_TLS, ROOT, children_of, until

JOBS = {job.name: job for job in raw_jobs.JOBS}
STARTED_SECONDS = 40.0


@dataclass
class Servers:
    """A private RabbitMQ and Redis."""

    run_dir: Path
    environment: dict[str, str]
    addresses: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> None:
        """Run a command of the kit."""
        subprocess.run([sys.executable, "-m", "commands", *words], cwd=ROOT, env=self.environment, check=True)

    def rabbitmqctl(self, *words: str) -> str:
        """Run RabbitMQ's own tool and return what it prints."""
        tool = os.environ.get("TEST_RABBITMQCTL", str(self.run_dir / "bin" / "rabbitmqctl")).split()
        return subprocess.run([*tool, "-q", *words], check=True, capture_output=True, text=True).stdout

    def restart_rabbitmq(self) -> None:
        """Stop the broker and start it again; it keeps what is on its disk."""
        self.rabbitmqctl("stop_app")
        self.rabbitmqctl("start_app")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that the tests of a session share.

    To test with another RabbitMQ, set TEST_RMQ_URL, TEST_RMQ_MANAGEMENT_URL and TEST_RABBITMQCTL (a command line).
    To test with another database, set TEST_DATABASE_URL. The tests drop the tables of that database.
    """
    run_dir = tmp_path_factory.mktemp("raw")
    up = Servers(
        run_dir, os.environ | {"KIT_RUN_DIR": str(run_dir), "PYTHONPATH": str(ROOT), "KIT_BROKER_TAG": "administrator"}
    )
    try:
        up.command("up", "--private", "rabbitmq", "redis")
        up.addresses = {name: value or "" for name, value in dotenv_values(run_dir / "kit.env").items()}
        for name in ("RMQ_URL", "RMQ_MANAGEMENT_URL"):
            up.addresses[name] = os.environ.get(f"TEST_{name}", up.addresses[name])
        yield up
    finally:
        up.command("down")


class RawLane:
    """The raw lane of one test: its workers, the runs that the test sends, and the results that it sees."""

    def __init__(self, servers: Servers, virtual_host: str, folder: Path) -> None:
        self.servers, self.virtual_host, self.folder = servers, virtual_host, folder
        address = urlsplit(servers.addresses["RMQ_URL"])
        self.rmq_url = address._replace(path=f"/{virtual_host}").geturl()
        self.trace = folder / "trace"
        self.trace.touch()
        self.log = folder / "worker.log"
        self.settings = {
            "RMQ_URL": self.rmq_url,
            "REDIS_URL": servers.addresses["REDIS_URL"],
            "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", f"sqlite:///{folder / 'kit.sqlite3'}"),
            "KIT_RUN_DIR": str(folder),
        }
        self.environment = {**servers.environment, **self.settings, "EXTRA_JOBS": "tests.contract.raw_jobs"}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.publisher = Publisher(self.rmq_url)

    # -------------------------------------------------- workers

    def worker(self, *options: str, wait: bool = True, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker in its own process group and wait until it consumes. By default it has two children."""
        ready = self.log.read_text().count("ready:") if self.log.exists() else 0
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                self.command("worker", "--name", "w", *options),
                cwd=ROOT, env={**self.environment, **environment}, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.workers.append(worker)
        if wait:
            until(lambda: self.log.read_text().count("ready:") > ready, STARTED_SECONDS, "a worker is ready")
        return worker

    def children(self, worker: subprocess.Popen[bytes]) -> list[int]:
        """The process ids of a worker's children."""
        return children_of(worker.pid)

    def command(self, *words: str) -> list[str]:
        """The words of a command of the raw lane."""
        return [sys.executable, "-m", "raw_consumer", *words]

    def cli(self, *words: str) -> str:
        """Run `python -m raw_consumer …` and return what it prints."""
        return subprocess.run(
            self.command(*words),
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    # -------------------------------------------------- runs

    def accept(self, job: str, count: int = 1, priority: int = 0, countdown: float = 0.0, **args: Any) -> list[str]:
        """Accept runs. Jobs that leave a trace get the path of its file."""
        if "path" in [parameter.name for parameter in JOBS[job].parameters]:
            args["path"] = str(self.trace)
        with database.writing() as connection:
            return [
                runs.accept(connection, JOBS[job], "raw", args, priority=priority, countdown=countdown)
                for _ in range(count)
            ]

    def publish(self, ids: list[str], times: int = 1) -> list[str]:
        """Publish accepted runs and return the ids that the broker confirmed."""
        confirmed = self.publisher.publish([self.run(run_id) for run_id in ids] * times, timeout=20)
        outbox.mark_published(confirmed)
        return confirmed

    def submit(self, job: str, count: int = 1, **options: Any) -> list[str]:
        """Accept and publish."""
        ids = self.accept(job, count, **options)
        assert self.publish(ids) == ids
        return ids

    def run(self, run_id: str) -> Any:
        """The run's row."""
        with database.statements() as connection:
            return runs.find(connection, run_id)

    def states(self, ids: list[str]) -> list[str]:
        """The states of these runs."""
        return [self.run(run_id).state for run_id in ids]

    def ended(self, ids: list[str], seconds: float = 20.0) -> list[str]:
        """Wait until all these runs have ended and return their states."""
        until(lambda: set(self.states(ids)) <= set(runs.ENDED), seconds, f"{len(ids)} runs ended: {self.tail()}")
        return self.states(ids)

    def effects(self, ids: list[str]) -> int:
        """Return how many effects these runs have had."""
        with database.statements() as connection:
            question = select(func.count()).select_from(effects).where(effects.c.run_id.in_(ids))
            return int(connection.execute(question).scalar_one())

    def starts(self, run_id: str = "") -> list[tuple[float, int, str, str]]:
        """The traces of a run, or of all runs: time, process id, run, text."""
        lines = [line.split(" ", 3) for line in self.trace.read_text().splitlines() if run_id in line]
        return [(float(at), int(pid), run, text) for at, pid, run, text in lines]

    # -------------------------------------------------- the broker

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in a queue."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def unacknowledged(self, queue: str) -> int:
        """Return how many messages of a queue a worker has received and not acknowledged."""
        columns = ("name", "messages_unacknowledged", "--no-table-headers")
        told = self.servers.rabbitmqctl("list_queues", "-p", self.virtual_host, *columns)
        return int(dict(line.split() for line in told.splitlines())[queue])

    def dead(self) -> list[Any]:
        """The dead letters."""
        return letter_queue.first("raw", 1_000)[0]

    def channel(self) -> Any:
        """A channel on its own connection, as a context. The topology is declared on it."""
        channel = pika.BlockingConnection(pika.URLParameters(self.rmq_url)).channel()
        topology.declare(channel)
        return _ClosesItsConnection(channel)

    def tail(self) -> str:
        """The end of the worker's log, for the message of a failed test."""
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def close(self) -> None:
        """Kill the workers that still run."""
        self.publisher.close()
        for worker in self.workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


class _ClosesItsConnection:
    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def __enter__(self) -> Any:
        return self.channel

    def __exit__(self, *_: object) -> None:
        self.channel.connection.close()


@pytest.fixture
def raw(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawLane]:
    """A raw lane with nothing in it and no worker yet."""
    name = f"test-{time.time_ns()}"
    management = httpx.Client(
        base_url=servers.addresses["RMQ_MANAGEMENT_URL"],
        auth=("student", "qwerty"),
        timeout=30,
        trust_env=False,
        verify=NO_TLS,
    )
    management.put(f"/api/vhosts/{name}").raise_for_status()
    lane = RawLane(servers, name, tmp_path)
    for setting, value in lane.settings.items():
        monkeypatch.setenv(setting, value)
    settings.cache_clear()
    database.close()
    metadata.drop_all(database.engine())
    schema.create_tables()
    try:
        yield lane
    finally:
        lane.close()
        management.delete(f"/api/vhosts/{name}")
        management.close()
        settings.cache_clear()
        database.close()
