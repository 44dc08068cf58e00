"""The two ways into the database: `statements()` and `writing()`.

SQLite needs care that PostgreSQL does not. Its default transaction begins as a reader and becomes a writer at the first
write. If another writer was faster in between, the data that was read is stale and the update is silently lost. So each
writing transaction takes the write lock before it reads (`BEGIN IMMEDIATE`). WAL lets readers continue meanwhile.

One rule holds everywhere: no network call inside a transaction. The process's clock is compared with the shared clock
before a transaction begins, from time to time (`processes/clock.py`).
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from cars_bot import ledger
from cars_bot.database import sqlite_lock
from cars_bot.database.engines import engine, is_file, kept
from cars_bot.database.errors import available
from cars_bot.database.prepared import Prepared
from cars_bot.errors import StorageUnavailable
from cars_bot.processes import clock

SHORTEST_WAIT = 0.5  # seconds for SQLite's lock itself, however long the caller has stood in line
_BEGIN = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN; SET LOCAL synchronous_commit = on",
}

# SQLite lets one writer in at a time, and who has to wait asks again and again (`sqlite_lock.py`). So the threads of a
# process queue up before they ask: who is next begins at once.
_turn = threading.Lock()
os.register_at_fork(after_in_child=_turn._at_fork_reinit)  # type: ignore[attr-defined]


@contextmanager
def statements() -> Iterator[Connection]:
    """A connection on which every statement is a transaction of its own: for queries, and for a single write.

    A crash of the database's own server, or of the machine, may take back the single writes of its last half second
    (SQLite: only of the machine). So they are for what can be done again: a run that has come to an end and wrote
    nothing else is open again then, and is run again. All else belongs into `writing()`.

    Raises:
        StorageUnavailable: the database does not answer or is locked.
    """
    with available:
        if threading.current_thread() is not threading.main_thread():
            with engine().connect() as connection:
                _compare_clocks(connection)
                yield connection
            return
        # A worker's jobs run on its main thread, which keeps its connection: fetching one from the pool and bringing
        # it back, twice for each job, was a quarter of what a no-op job cost.
        pid = os.getpid()
        if pid not in kept:
            kept[pid] = engine().connect()
        try:
            _compare_clocks(kept[pid])
            yield kept[pid]
        except BaseException:  # also a time limit's signal: nobody knows what the connection is in the middle of
            if spoilt := kept.pop(pid, None):
                spoilt.invalidate()
                spoilt.close()
            raise


@contextmanager
def statements_together() -> Iterator[Connection]:
    """`statements()`, of SQLite, as one transaction: all of them are done when the block ends, or none when it raises.

    Raises:
        StorageUnavailable: the database is full, or stayed locked for `sqlite_lock.PATIENCE`.
    """
    with statements() as connection:
        _begin_now(connection, {})
        yield connection
        _commit(connection, {})


@contextmanager
def writing(waited: float = 0.0) -> Iterator[Connection]:
    """A transaction that commits when the block ends and rolls back when it raises.

    Args:
        waited: seconds that the caller has waited already. They count, on SQLite.

    Raises:
        StorageUnavailable: the database does not answer, is full, or stayed locked for `sqlite_lock.PATIENCE`.
    """
    since = time.monotonic() - waited
    with available, _in_turn(since), engine().connect() as connection, connection.begin():
        _compare_clocks(connection)
        _begin(connection, since)
        yield connection


def one_statement(waited: float = 0.0) -> AbstractContextManager[Connection]:
    """For a single statement that writes: `statements()` on PostgreSQL, where a transaction around it costs two round
    trips, and `writing()` on SQLite, where it waits for its turn.
    """
    return writing(waited) if is_file() else statements()


@contextmanager
def _in_turn(since: float) -> Iterator[None]:
    """Wait until no other thread of this process is writing. A main thread need not: in a worker nobody else writes."""
    if not is_file() or threading.current_thread() is threading.main_thread():
        yield
        return
    if not _turn.acquire(timeout=_left(since)):
        raise StorageUnavailable("the database cannot be used now: this process has been writing for seconds")
    try:
        yield
    finally:
        _turn.release()


def _left(since: float) -> float:
    """The seconds that may still be waited by who waits since then."""
    return max(SHORTEST_WAIT, since + sqlite_lock.PATIENCE - time.monotonic())


def _begin(connection: Connection, since: float) -> None:
    """Begin. Who has waited in line does not wait as long again for the lock: whoever went before may have done so."""
    begin = _BEGIN[connection.dialect.name]
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(begin)
        return
    driver = cast("sqlite_lock.PatientConnection", connection.connection.driver_connection)
    driver.patience = _left(since)
    try:
        connection.exec_driver_sql(begin)
    finally:
        driver.patience = None


def compare_clocks() -> None:
    """Compare this process's clock with the shared one, if it is time to: for who needs `clock.now()` before all else.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    if clock.is_stale():
        with statements():
            pass


def _compare_clocks(connection: Connection) -> None:
    """Compare this process's clock with the one that all processes share, now and then."""
    if not clock.is_stale():
        return
    if connection.dialect.name == "postgresql":
        asked = text("SELECT extract(epoch FROM clock_timestamp())")
        clock.compare(lambda: float(connection.execute(asked).scalar_one()), "PostgreSQL")
    else:
        clock.compare(ledger.time_of_redis, "Redis")  # SQLite has no clock: it reads that of whoever asks


_begin_now, _commit = Prepared(text(_BEGIN["sqlite"])), Prepared(text("COMMIT"))


def insert(table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`, in the dialect in use."""
    dialect = sqlite if is_file() else postgresql
    return dialect.insert(table)


def insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert `row` unless one with its key is there; return whether it was inserted."""
    # By RETURNING: how many rows an INSERT has made is not told by every driver.
    fresh = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(fresh).first() is not None
