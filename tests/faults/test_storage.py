"""Faults 31 to 33: a database that is locked or full, and a Redis that is killed or emptied."""

import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from tests.faults.trial import Trial
from tests.kit import Kit, until

LOCKED = pytest.mark.fault(31, "SQLite is locked for 30 s")
DISK_FULL = pytest.mark.fault(32, "the database's disk is full")
WITHOUT_REDIS = pytest.mark.fault(33, "Redis is SIGKILLed, or FLUSHALL")

WRITERS = ("api", "celery_worker-1", "consumer-1")


@LOCKED
def test_while_the_database_is_locked_nothing_is_accepted_that_is_not_there(trial: Trial) -> None:
    trial.submit(count=10)
    holder = sqlite3.connect(urlsplit(trial.settings.database_url).path, isolation_level=None, timeout=30)
    with trial.load(every=1.0):
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(30)  # as long as the fault lasts
        holder.execute("ROLLBACK")
        trial.submit()
    holder.close()
    trial.healed()

    trial.survives(within=60)
    assert trial.refused >= 1, "nobody noticed"
    assert trial.slowest < 10.0, "a submit waited for the lock and did not give up"


@LOCKED
def test_a_message_sent_while_the_database_is_locked_is_told_when_it_is_free_and_not_sent_again(
    trial: Trial, lane: str
) -> None:
    chat = f"@locked_{lane}"
    path = urlsplit(trial.settings.database_url).path
    holder = sqlite3.connect(path, isolation_level=None, timeout=30)
    with trial.world() as world:
        fault = {"service": "telegram", "fault": "drip", "next": 1, "seconds": 1.0, "only": "sendMessage"}
        world.post("/_control/faults", json=fault).raise_for_status()
        trial.submit("announce", args={"chat": chat, "text": "once"})
        claimed = "SELECT 1 FROM claims WHERE key = ? AND settled_at IS NULL"
        until(lambda: holder.execute(claimed, (f"announce:{chat}:once",)).fetchone(), 15, "the message is being sent")
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(8)  # longer than a writer waits for the lock
        holder.execute("ROLLBACK")
        holder.close()
        world.delete("/_control/faults").raise_for_status()
    trial.healed()

    outside = [message["text"] for message in trial.kit.channel(chat)]
    assert trial.survives(within=40, outside=outside)[lane].done == 1
    assert outside == ["once"]


@contextmanager
def files_may_not_grow(kit: Kit) -> Iterator[None]:
    """Let the writers of the database write no file beyond its first page. For them this is the same as a full disk."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    parents = [psutil.Process(kit.pid(name)) for name in WRITERS]
    family = [each.pid for parent in parents for each in (parent, *parent.children(recursive=True))]
    for pid in family:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        now = [each.pid for parent in parents for each in (parent, *parent.children(recursive=True))]
        for pid in {*family, *now}:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


@DISK_FULL
@pytest.mark.quick
def test_a_full_disk_is_answered_with_503_and_nothing_that_was_accepted_is_lost(trial: Trial) -> None:
    trial.submit(count=10)
    with files_may_not_grow(trial.kit):
        for lane in trial.lanes:
            assert trial.try_to_submit(lane) is None
        time.sleep(3)  # the workers try to write their outcomes meanwhile
        assert trial.states().count("DONE") < 20
    trial.healed()
    trial.submit(count=2)

    trial.survives(within=60)
    assert trial.refused == 2


@WITHOUT_REDIS
@pytest.mark.quick
def test_without_redis_no_effect_is_lost_or_doubled(trial: Trial) -> None:
    trial.submit(count=10)
    with trial.load():
        trial.reach("DONE", 2)
        os.kill(trial.kit.pid("redis"), signal.SIGKILL)
        time.sleep(2)
    trial.healed()

    trial.survives(within=60, ledger_lost=True)


@WITHOUT_REDIS
def test_runs_are_sent_and_done_while_redis_stays_away(trial: Trial) -> None:
    trial.submit(count=2)
    trial.reach("DONE", 4)
    trial.kit.command("down", "redis")
    try:
        trial.submit(count=3)
        trial.reach("DONE", 10, 60)
    finally:
        trial.kit.command("up", "redis")
    trial.healed()

    trial.survives(within=60, ledger_lost=True)


@WITHOUT_REDIS
def test_an_emptied_redis_loses_the_ledger_and_nothing_else(trial: Trial) -> None:
    until(lambda: trial.kit.pid("redis"), 10, "Redis runs")
    client = redis.Redis.from_url(trial.settings.redis_url)
    trial.submit(count=10)
    with trial.load():
        for _ in range(5):
            client.flushall()
            time.sleep(0.5)
    client.close()
    trial.healed()

    trial.survives(within=60, ledger_lost=True)
