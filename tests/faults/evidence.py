"""Evidence of a trial: the database, the ledger, the queues, and the resources of the processes. It only reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pika
import pika.exceptions
import psutil
import redis
from sqlalchemy import Connection, select

from cars_bot import database, ledger
from cars_bot.catalogue import SCHEDULE
from cars_bot.database.models import effects, idempotency_keys, runs
from cars_bot.settings import read
from tests.faults.checker import Event, Row
from tests.kit import Kit

SCHEDULED = {tick.job for tick in SCHEDULE.values()}
# B: the most that a process may hold beyond its first value. Late libraries and caches need some; a leak has no end.
MORE_FILES, MORE_BYTES = 60, 200 * 2**20
WATCHED = ("api", "celery_worker-1", "consumer-1")


class Evidence:
    """The servers of a kit, asked directly, because the API may be broken."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.settings = read(environment | {"KIT_ENV_FILE": os.devnull})
        self._engine = database.new_engine(self.settings.database_url)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A connection to the kit's database, for a question."""
        with self._engine.connect() as connection:
            yield connection

    def states(self, ids: list[str]) -> list[str]:
        """The states of these runs."""
        with self.database() as connection:
            found = {
                row.id: row.state
                for row in connection.execute(select(runs.c.id, runs.c.state).where(runs.c.id.in_(ids)))
            }
        return [found.get(run_id, "NOWHERE") for run_id in ids]

    def rows(self, lane: str, since: float) -> list[Row]:
        """The runs of a lane that were accepted since then, without those of a schedule."""
        columns = (runs.c.id, runs.c.state, runs.c.attempt, runs.c.error, runs.c.finished_at, runs.c.parent)
        wanted = (runs.c.lane == lane) & (runs.c.accepted_at >= since) & runs.c.job.not_in(SCHEDULED)
        with self.database() as connection:
            return [Row(*row) for row in connection.execute(select(*columns).where(wanted))]

    def stored_under(self, keys: list[str]) -> dict[str, list[str]]:
        """The ids that were accepted under each Idempotency-Key. There are none if the request never arrived."""
        question = select(idempotency_keys.c.reply)
        with self.database() as connection:
            found = {
                key: connection.execute(question.where(idempotency_keys.c.key == f"runs:{key}")).scalar_one_or_none()
                for key in keys
            }
        return {key: [run["id"] for run in (reply or {"runs": []})["runs"]] for key, reply in found.items()}

    def effects(self, ids: set[str]) -> list[tuple[str, str]]:
        """(key, run id) of the effects of these runs."""
        with self.database() as connection:
            found = connection.execute(select(effects.c.key, effects.c.run_id)).all()
        return [(key, run_id) for key, run_id in found if run_id in ids]

    def events(self, ids: set[str], since: float) -> list[Event] | None:
        """The ledger's lines about these runs, or None if Redis is away."""
        client = redis.Redis.from_url(self.settings.redis_url, socket_timeout=5.0, decode_responses=True)
        try:
            told = ledger.history(client, since=since)
            return [Event(line.at, line.run, line.event) for line in told if line.run in ids]
        except redis.RedisError:
            return None
        finally:
            client.close()

    # -------------------------------------------------- the broker

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in a queue of RabbitMQ."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def dead_letters(self, lane: str) -> int:
        """Return how many dead letters a lane has."""
        return self.depth({"celery": "celery.dead", "raw": "raw.dead"}[lane])

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel on its own connection."""
        connection = pika.BlockingConnection(pika.URLParameters(self.settings.rmq_url))
        try:
            yield connection.channel()
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()


def held(kit: Kit) -> dict[str, tuple[int, int]]:
    """The open files and bytes of memory of each watched process, with its children."""
    found = {}
    for process in kit.supervisor.processes() if isinstance(kit, Kit) else ():
        if process.name in WATCHED and process.pid:
            with suppress(psutil.NoSuchProcess):
                parent = psutil.Process(process.pid)
                family = [parent, *parent.children(recursive=True)]
                found[process.name] = sum(p.num_fds() for p in family), sum(p.memory_info().rss for p in family)
    return found


def grown(before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]) -> list[str]:
    """Complaints about the processes that hold much more than before."""
    return [
        f"{name} holds {now[name][0]} files and {now[name][1] >> 20} MB; before {files} and {size >> 20}"
        for name, (files, size) in before.items()
        if name in now and (now[name][0] > files + MORE_FILES or now[name][1] > size + MORE_BYTES)
    ]
