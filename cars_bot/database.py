"""One engine per process, and the two ways into it: `statements()` and `writing()`.

SQLite needs care that PostgreSQL does not. Its default transaction begins as a reader and turns into a writer at the
first write; when another writer was faster in between, what was read is stale and the update is silently lost. So every
writing transaction takes the write lock before it reads (`BEGIN IMMEDIATE`), and WAL lets readers go on meanwhile.

What a transaction is used for is decided elsewhere; the one rule that holds everywhere is: no network call inside one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from cars_bot.errors import StorageUnavailable
from cars_bot.models import metadata
from cars_bot.settings import settings

BUSY_TIMEOUT_MS = 5_000
_engines: dict[int, Engine] = {}


def new_engine(url: str) -> Engine:
    """Return an engine for `url` with the pragmas and transaction mode described above."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=8, max_overflow=8)
    if path := make_url(url).database:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=8, max_overflow=8)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions behind our back
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def engine() -> Engine:
    """This process's engine. A forked child gets one of its own: connections must not be shared across a fork."""
    pid = os.getpid()
    if pid not in _engines:
        _engines.clear()
        _engines[pid] = new_engine(settings().database_url)
    return _engines[pid]


@contextmanager
def statements() -> Iterator[Connection]:
    """A connection on which every statement is a transaction of its own: for queries, and for a single write.

    Raises:
        StorageUnavailable: the database does not answer or is locked.
    """
    with _available(), engine().connect() as connection:
        if connection.dialect.name != "sqlite":  # SQLite's driver was told at connect
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction that commits when the block ends and rolls back when it raises.

    Raises:
        StorageUnavailable: the database does not answer, is full, or stayed locked for `BUSY_TIMEOUT_MS`.
    """
    with _available(), engine().connect() as connection, connection.begin():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def _available() -> Iterator[None]:
    """Say in our words what the driver means by an operational error."""
    try:
        yield
    except DBAPIError as error:
        passing = error.__class__.__name__ in ("OperationalError", "InterfaceError", "InternalError")
        if passing or error.orig.__class__.__name__ == "UndefinedTable":  # a worker that is there before the tables
            raise StorageUnavailable(f"the database cannot be used now: {error.orig}") from error
        raise


def insert(table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`, in the dialect in use."""
    dialect = sqlite if engine().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert `row` unless one with its key is there; return whether it was inserted."""
    # By RETURNING: how many rows an INSERT has made is not told by every driver.
    fresh = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(fresh).first() is not None


def create_tables() -> None:
    """Create what is missing; harmless when everything is there."""
    metadata.create_all(engine())
