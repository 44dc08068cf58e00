"""Transactions: the two ways into the database are `statements()` and `writing()`.

SQLite needs more care than PostgreSQL. Its default transaction begins as a reader and becomes a writer at the first
write. If another writer was faster in between, the data that was read is stale, and the update is silently lost. So
each writing transaction takes the write lock before it reads (`BEGIN IMMEDIATE`). WAL lets readers continue meanwhile.

One rule holds everywhere: no network call inside a transaction. From time to time, the process's clock is compared with
the shared clock before a transaction begins (`processes/clock.py`).
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

SHORTEST_WAIT = 0.5  # seconds for SQLite's lock itself, even after a long wait of the caller
_BEGIN = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN; SET LOCAL synchronous_commit = on",
}

# SQLite lets one writer in at a time, and a waiting writer asks again and again (`sqlite_lock.py`). So the threads of a
# process wait in line before they ask, and the next one begins at once.
_turn = threading.Lock()
os.register_at_fork(after_in_child=_turn._at_fork_reinit)  # type: ignore[attr-defined]


@contextmanager
def statements() -> Iterator[Connection]:
    """Give a connection on which each statement is its own transaction, for queries and single writes.

    A crash of PostgreSQL or of the machine may undo the single writes of the last half second. With SQLite, only a
    crash of the machine does so. Use it for a write that can happen again. An example is the end of a run that wrote
    nothing else. After the crash the run is open, and it runs again. Use `writing()` for all other writes.

    Raises:
        StorageUnavailable: the database does not answer or is locked.
    """
    with available:
        if threading.current_thread() is not threading.main_thread():
            with engine().connect() as connection:
                _compare_clocks(connection)
                yield connection
            return
        # A worker's jobs run on its main thread, which keeps its connection. To take one from the pool and to give it
        # back, twice for each job, was a quarter of the cost of a no-op job.
        pid = os.getpid()
        if pid not in kept:
            kept[pid] = engine().connect()
        try:
            _compare_clocks(kept[pid])
            yield kept[pid]
        except BaseException:  # also a time limit's signal: the state of the connection is unknown
            if spoilt := kept.pop(pid, None):
                spoilt.invalidate()
                spoilt.close()
            raise


@contextmanager
def statements_together() -> Iterator[Connection]:
    """Give a connection of SQLite whose statements are one transaction. It commits when the block ends.

    Raises:
        StorageUnavailable: the database is full, or stayed locked for `sqlite_lock.PATIENCE`.
    """
    with statements() as connection:
        _begin_now(connection, {})
        yield connection
        _commit(connection, {})


@contextmanager
def writing(waited: float = 0.0) -> Iterator[Connection]:
    """Give a connection in a transaction. It commits when the block ends, and rolls back when the block raises.

    Args:
        waited: seconds that the caller has waited already. On SQLite they count as a part of the wait for the lock.

    Raises:
        StorageUnavailable: the database does not answer, is full, or stayed locked for `sqlite_lock.PATIENCE`.
    """
    since = time.monotonic() - waited
    with available, _in_turn(since), engine().connect() as connection, connection.begin():
        _compare_clocks(connection)
        _begin(connection, since)
        yield connection


def one_statement(waited: float = 0.0) -> AbstractContextManager[Connection]:
    """Give a connection for a single statement that writes.

    On PostgreSQL it is `statements()`, because a transaction costs two round trips more. On SQLite it is `writing()`,
    which waits for its turn.
    """
    return writing(waited) if is_file() else statements()


@contextmanager
def _in_turn(since: float) -> Iterator[None]:
    """Wait until no other thread of this process writes. A main thread need not wait: in a worker only it writes."""
    if not is_file() or threading.current_thread() is threading.main_thread():
        yield
        return
    if not _turn.acquire(timeout=_left(since)):
        raise StorageUnavailable(
            "the database cannot be used now: other threads of this process write for too long; try again"
        )
    try:
        yield
    finally:
        _turn.release()


def _left(since: float) -> float:
    """Return the seconds that are left for a wait that began at `since`."""
    return max(SHORTEST_WAIT, since + sqlite_lock.PATIENCE - time.monotonic())


def _begin(connection: Connection, since: float) -> None:
    """Begin the transaction. The time in line counts as a part of the wait for SQLite's lock."""
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
    """Compare this process's clock with the shared one, if it is time. Call it before a first `clock.now()`.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    if clock.is_stale():
        with statements():
            pass


def _compare_clocks(connection: Connection) -> None:
    """Compare this process's clock with the shared one, if it is time."""
    if not clock.is_stale():
        return
    if connection.dialect.name == "postgresql":
        asked = text("SELECT extract(epoch FROM clock_timestamp())")
        clock.compare(lambda: float(connection.execute(asked).scalar_one()), "PostgreSQL")
    else:
        clock.compare(ledger.time_of_redis, "Redis")  # SQLite has no clock of its own: it reads the asking machine's


_begin_now, _commit = Prepared(text(_BEGIN["sqlite"])), Prepared(text("COMMIT"))


def insert(table: Table) -> Any:
    """Return an INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, in the dialect in use."""
    dialect = sqlite if is_file() else postgresql
    return dialect.insert(table)


def insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert `row` unless a row with its key exists. Return whether it was inserted."""
    # RETURNING shows it: not every driver reports the number of rows of an INSERT.
    fresh = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(fresh).first() is not None
