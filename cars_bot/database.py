"""One engine per process, and the two ways into it: `statements()` and `writing()`.

SQLite needs care that PostgreSQL does not. Its default transaction begins as a reader and turns into a writer at the
first write; when another writer was faster in between, what was read is stale and the update is silently lost. So every
writing transaction takes the write lock before it reads (`BEGIN IMMEDIATE`), and WAL lets readers go on meanwhile.

What a transaction is used for is decided elsewhere; the one rule that holds everywhere is: no network call inside one.
Before one begins, the process's clock is compared with the shared one, if it is time to (`clock.py`).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from cars_bot import clock, database_url, ledger, sqlite_lock
from cars_bot.database_errors import available
from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.settings import settings

SHORTEST_WAIT = 0.5  # seconds for SQLite's lock itself, however long the caller has stood in line
_BEGIN = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN; SET LOCAL synchronous_commit = on",
}

# SQLite lets one writer in at a time, and who has to wait asks again and again (`sqlite_lock.py`). So the threads of a
# process queue up before they ask: who is next begins at once.
_turn = threading.Lock()
os.register_at_fork(after_in_child=_turn._at_fork_reinit)  # type: ignore[attr-defined]

# By process: connections must not be shared across a fork, and a child leaves its parent's alone.
_engines: dict[int, Engine] = {}
_kept: dict[int, Connection] = {}
_forbidden = ""


def new_engine(url: str) -> Engine:
    """Return an engine for `url` on which nothing begins a transaction but `writing()`.

    Raises:
        NotConfigured: the folder of a SQLite file cannot be made.
    """
    database_url.make_folder(url)
    prepare: Callable[[Any], None] = _prepare_postgresql
    how: dict[str, Any] = {}
    if make_url(url).get_backend_name() == "sqlite":
        prepare, how = sqlite_lock.prepare, sqlite_lock.CONNECT_ARGS
    engine = create_engine(url, pool_size=8, max_overflow=8, isolation_level="AUTOCOMMIT", connect_args=how)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        prepare(connection)

    return engine


def _prepare_postgresql(connection: Any) -> None:
    """Use the session where it is ours alone.

    Behind a pooler such as PgBouncer each transaction may run in another session: what was prepared or set in one is
    missing in the next, and is met by strangers. A pooler is known by the process it claims to be: the real one has
    another id.
    """
    (process,) = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    if process != connection.info.backend_pid:
        connection.prepare_threshold = None  # never prepare
    else:
        connection.execute("SET synchronous_commit = off")  # `writing()` switches it on again


def engine() -> Engine:
    """This process's engine.

    Raises:
        NotConfigured: this process has no database (`forbid`).
    """
    if _forbidden:
        raise NotConfigured(_forbidden)
    pid = os.getpid()
    if pid not in _engines:
        _engines[pid] = new_engine(settings().database_url)
    return _engines[pid]


def close() -> None:
    """Close this process's connections; the next use opens new ones, to the database that the settings then name."""
    if kept := _kept.pop(os.getpid(), None):
        kept.close()
    if own := _engines.pop(os.getpid(), None):
        own.dispose()


def forbid(why: str) -> None:
    """Have every use of the database in this process, and those it forks, refused with that sentence."""
    global _forbidden
    _forbidden = why


def is_forbidden() -> bool:
    """Whether this process has no database."""
    return bool(_forbidden)


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
        if pid not in _kept:
            _kept[pid] = engine().connect()
        try:
            _compare_clocks(_kept[pid])
            yield _kept[pid]
        except BaseException:  # also a time limit's signal: nobody knows what the connection is in the middle of
            if spoilt := _kept.pop(pid, None):
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


def is_file() -> bool:
    """Whether the database is SQLite."""
    return engine().dialect.name == "sqlite"


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


class Prepared:
    """A statement that every message needs: compiled once, then given to the driver itself.

    SQLAlchemy's own part in executing a statement was a third of what the statement cost a worker. What is left out
    with it is the conversion of values: the caller gives and gets what the driver does, which for JSON is its text.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._by_dialect: dict[str, tuple[str, list[str] | None]] = {}

    def __call__(self, connection: Connection, values: dict[str, Any]) -> Any:
        """Execute it and return the driver's cursor. All its rows must be fetched: SQLite reads on until they are.

        Raises:
            sqlalchemy.exc.DBAPIError: as SQLAlchemy would.
        """
        dialect = connection.dialect
        if dialect.name not in self._by_dialect:
            compiled: Any = self._statement.compile(dialect=dialect)
            self._by_dialect[dialect.name] = str(compiled), compiled.positiontup
        sql, order = self._by_dialect[dialect.name]
        parameters = [values[name] for name in order] if order else values
        if (cursor := connection.info.get("cursor")) is None:  # `info` lives and dies with the driver's connection
            cursor = connection.info["cursor"] = connection.connection.cursor()
        try:
            cursor.execute(sql, parameters)
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(sql, parameters, error, dialect.loaded_dbapi.Error) from error
        return cursor


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
