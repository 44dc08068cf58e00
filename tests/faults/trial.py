"""A trial: what one fault test sends down its lanes, and what is looked up afterwards for the checker.

    ids = trial.submit("process_task", count=20)     accepted, noted
    with trial.load():                               runs keep coming while something is broken
        break_it()
        mend_it()
    trial.survives(within=60)                        heal, drain, look, judge; fails the test unless the verdict is true

A trial is on one lane or on both at once: a broker that dies dies for both, and each lane gets a verdict of its own.
"""

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pika
import pika.exceptions
import psutil
import redis
from sqlalchemy import Connection, select

from cars_bot import database, ledger
from cars_bot.catalogue import SCHEDULE
from cars_bot.models import effects, idempotency_keys, runs
from cars_bot.settings import Settings, read
from tests.faults.checker import ENDED, OUTCOME_UNKNOWN, Event, History, Row, Verdict, check
from tests.kit import Kit, until

A_SECOND = {"task_num": 1, "timeout": 0.3}
SCHEDULED = {tick.job for tick in SCHEDULE.values()}
# B: what a process may hold beyond what it held before. Libraries are loaded late and caches fill; a leak has no end.
MORE_FILES, MORE_BYTES = 60, 200 * 2**20
WATCHED = ("api", "celery_worker-1", "consumer-1")


class Trial:
    """See the module.

    Attributes:
        accepted: by lane, the ids of the runs whose acceptance was answered.
        broken: by lane, the keys of requests that got no answer.
        refused: how many requests were answered with 503.
        slowest: seconds that the slowest answered request took.
        verdicts: by lane, once `survives` has been there.
    """

    def __init__(self, kit: Kit, lanes: tuple[str, ...]) -> None:
        self.kit, self.lanes = kit, lanes
        self.accepted: dict[str, list[str]] = {lane: [] for lane in lanes}
        self.broken: dict[str, list[str]] = {lane: [] for lane in lanes}
        self.refused, self.slowest = 0, 0.0
        self.verdicts: dict[str, Verdict] = {}
        self.settings = settings_of(kit)
        self.http = httpx.Client(base_url=kit.http.base_url, timeout=15.0, trust_env=False)
        self._engine = database.new_engine(self.settings.database_url)
        self._before = held(kit)
        self._began = time.time()
        self._healed: float | None = None

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        self._engine.dispose()

    # -------------------------------------------------- sending

    def submit(self, job: str = "process_task", count: int = 1, lane: str = "", **body: Any) -> list[str]:
        """Submit to `lane` (all of the trial's, if none is named), which must accept; return the ids."""
        lanes = (lane,) if lane else self.lanes
        answers = [self.try_to_submit(each, job, count, **body) for each in lanes]
        assert None not in answers, f"{job} was not accepted"
        return [run_id for answer in answers for run_id in answer or ()]

    def try_to_submit(
        self, lane: str, job: str = "process_task", count: int = 1, key: str = "", **body: Any
    ) -> list[str] | None:
        """Submit with an Idempotency-Key; None if it was refused with 503, or broke and nobody knows."""
        key = key or str(uuid.uuid4())
        wanted = {"lane": lane, "job": job, "count": count, "args": A_SECOND if job == "process_task" else {}} | body
        began = time.monotonic()
        try:
            reply = self.http.post("/api/runs", json=wanted, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            self.broken[lane].append(key)
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        if reply.status_code == 503:
            self.refused += 1
            return None
        assert reply.status_code in (200, 202), reply.text
        if key in self.broken[lane]:
            self.broken[lane].remove(key)
        ids = [run["id"] for run in reply.json()["runs"]]
        self.accepted[lane] += ids
        return ids

    @contextmanager
    def load(self, job: str = "process_task", every: float = 0.2, **body: Any) -> Iterator[None]:
        """Submit one run to each lane every so many seconds for as long as the block lasts."""
        over, trouble = threading.Event(), []

        def keep_on() -> None:
            try:
                while not over.wait(every):
                    for lane in self.lanes:
                        self.try_to_submit(lane, job, **body)
            except Exception as error:
                trouble.append(error)

        thread = threading.Thread(target=keep_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        assert not trouble, trouble

    # -------------------------------------------------- looking

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """The kit's database, for a question."""
        with self._engine.connect() as connection:
            yield connection

    def ids(self, lane: str = "") -> list[str]:
        """The runs known to be accepted."""
        return [run_id for each, ids in self.accepted.items() if lane in ("", each) for run_id in ids]

    def states(self, ids: list[str] | None = None) -> list[str]:
        """The states of these runs, from the database itself; the API may be what is broken."""
        wanted = self.ids() if ids is None else ids
        with self.database() as connection:
            question = select(runs.c.id, runs.c.state).where(runs.c.id.in_(wanted))
            found = {row.id: row.state for row in connection.execute(question)}
        return [found.get(run_id, "NOWHERE") for run_id in wanted]

    def reach(self, state: str, count: int = 1, seconds: float = 30.0, ids: list[str] | None = None) -> None:
        """Wait until so many runs of the trial are in `state`."""
        until(lambda: self.states(ids).count(state) >= count, seconds, f"{count} runs are {state}")

    def depth(self, queue: str) -> int:
        """Messages ready in a queue of RabbitMQ."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def dead_letters(self, lane: str) -> int:
        """How many dead letters a lane has."""
        return self.depth({"celery": "celery.dead", "raw": "raw.dead"}[lane])

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of a connection of its own."""
        connection = pika.BlockingConnection(pika.URLParameters(self.settings.rmq_url))
        try:
            yield connection.channel()
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()

    def _rows(self, lane: str, ignore: set[str]) -> list[Row]:
        columns = (runs.c.id, runs.c.state, runs.c.attempt, runs.c.error, runs.c.finished_at, runs.c.parent)
        question = select(*columns).where(
            runs.c.lane == lane, runs.c.accepted_at >= self._began, runs.c.job.not_in(SCHEDULED)
        )
        with self.database() as connection:
            return [Row(*row) for row in connection.execute(question) if row.id not in ignore]

    def stored_under(self, keys: list[str]) -> dict[str, list[str]]:
        question = select(idempotency_keys.c.reply)
        with self.database() as connection:
            found = {
                key: connection.execute(question.where(idempotency_keys.c.key == f"runs:{key}")).scalar_one_or_none()
                for key in keys
            }
        return {key: [run["id"] for run in (reply or {"runs": []})["runs"]] for key, reply in found.items()}

    def _events(self, ids: set[str]) -> list[Event] | None:
        client = redis.Redis.from_url(self.settings.redis_url, socket_timeout=5.0, decode_responses=True)
        try:
            told = ledger.history(client, since=self._began - 1)
            return [Event(line.at, line.run, line.event) for line in told if line.run in ids]
        except redis.RedisError:
            return None
        finally:
            client.close()

    # -------------------------------------------------- judging

    def healed(self) -> None:
        """Note that the fault is over; recovery is counted from here."""
        self._healed = time.time()

    def survives(
        self,
        within: float,
        *,
        failed: int = 0,
        revoked: int = 0,
        unknown: int = 0,
        effect_each: bool = True,
        ledger_lost: bool = False,
        outside: list[str] | None = None,
    ) -> dict[str, Verdict]:
        """Wait for the drain, judge each lane, and fail the test unless every verdict is true.

        Args:
            within: seconds the lanes may take to drain, without help.
            failed, revoked: how many runs of each lane have to end so; a failure more is a failure of the test.
            unknown: of the failed, how many may say that their outcome is unknown.
            outside: names of effects seen in the outside world.
        """
        healed = self._healed or time.time()
        for lane in self.lanes:
            with suppress(AssertionError):  # what has not ended by then is lost, and the checker says so
                until(lambda lane=lane: self._is_drained(lane), within, "drained")
        first = {lane: self._rows(lane, set()) for lane in self.lanes}
        markers = {run_id for lane in self.lanes for run_id in self._pass_through(lane)}
        overgrown = self._overgrown()
        for lane in self.lanes:
            rows = [row for row in first[lane] if row.id not in markers]
            history = History(
                accepted=self.accepted[lane],
                broken=self.stored_under(self.broken[lane]),
                rows=rows,
                later=self._rows(lane, markers),
                effects=self._effects([row.id for row in rows]),
                outside=outside or [],
                events=self._events({row.id for row in rows}),
                healed_at=healed,
                effect_each=effect_each,
                ledger_lost=ledger_lost,
                overgrown=overgrown,
            )
            self.verdicts[lane] = verdict = check(history)
            told_unknown = sum((row.error or "").startswith(OUTCOME_UNKNOWN) for row in rows)
            if verdict.failed - told_unknown != failed or verdict.revoked != revoked or told_unknown > unknown:
                verdict.blame(
                    f"{verdict.failed} runs FAILED ({told_unknown} of them unknown), {verdict.revoked} were REVOKED; "
                    f"it should have been {failed}, {unknown} and {revoked}: {[r.error for r in rows if r.error][:3]}"
                )
        for lane, verdict in self.verdicts.items():
            assert verdict.verdict == "true", f"{lane}: {verdict}"
        return self.verdicts

    def _is_drained(self, lane: str) -> bool:
        rows = self._rows(lane, set())
        known = {row.id for row in rows}
        return all(row.state in ENDED for row in rows) and known >= set(self.accepted[lane])

    def _pass_through(self, lane: str) -> list[str]:
        """Send a run behind everything else and wait for its end: copies that lag behind are through then."""
        reply = self.http.post("/api/runs", json={"lane": lane, "job": "debug_task"})
        ids = [run["id"] for run in reply.json()["runs"]]
        with suppress(AssertionError):
            until(lambda: self.states(ids) == ["DONE"], 30, "the marker is through")
        return ids

    def _effects(self, ids: list[str]) -> list[tuple[str, str]]:
        with self.database() as connection:
            found = connection.execute(select(effects.c.key, effects.c.run_id)).all()
        return [(key, run_id) for key, run_id in found if run_id in set(ids)]

    def _overgrown(self) -> list[str]:
        """What holds much more than before; connections take a moment to close."""
        with suppress(AssertionError):
            until(lambda: not grown(self._before, held(self.kit)), 10, "all is as small as before")
        return grown(self._before, held(self.kit))


def settings_of(kit: Kit) -> Settings:
    """The settings of the kit's processes."""
    return read(kit.environment | {"KIT_ENV_FILE": os.devnull})


def held(kit: Kit) -> dict[str, tuple[int, int]]:
    """Files and bytes held by each process of interest, its children included."""
    found = {}
    for process in kit.supervisor.processes():
        if process.name in WATCHED and process.pid:
            with suppress(psutil.NoSuchProcess):
                parent = psutil.Process(process.pid)
                family = [parent, *parent.children(recursive=True)]
                found[process.name] = sum(p.num_fds() for p in family), sum(p.memory_info().rss for p in family)
    return found


def grown(before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]) -> list[str]:
    """What holds much more than before, in words."""
    return [
        f"{name} holds {now[name][0]} files and {now[name][1] >> 20} MB; before {files} and {size >> 20}"
        for name, (files, size) in before.items()
        if name in now and (now[name][0] > files + MORE_FILES or now[name][1] > size + MORE_BYTES)
    ]
