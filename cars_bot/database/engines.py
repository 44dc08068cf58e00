"""Engines: each process has one connection pool, made for SQLite or for PostgreSQL.

A parent and its forked child must not share connections. So each process has an engine of its own.
"""

import os
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from cars_bot.boundary import database_url
from cars_bot.database import sqlite_lock
from cars_bot.errors import NotConfigured
from cars_bot.settings import settings

# By process id. A child does not touch its parent's connections.
_engines: dict[int, Engine] = {}
kept: dict[int, Connection] = {}  # the connection of a worker's main thread: see `transactions.statements`
_forbidden = ""


def new_engine(url: str) -> Engine:
    """Return an engine for `url`. On it, only `writing()` begins a transaction.

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
    """Change the session's settings if the session is ours alone.

    Behind a pooler such as PgBouncer, each transaction may run in another session. A prepared statement or a setting is
    missing in the next session, and other clients get it. A pooler is recognised by its process id. The id that it
    states differs from the id of the real server process.
    """
    (process,) = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    if process != connection.info.backend_pid:
        connection.prepare_threshold = None  # never prepare a statement
    else:
        connection.execute("SET synchronous_commit = off")  # `writing()` switches it on again


def engine() -> Engine:
    """Return this process's engine.

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
    """Close this process's connections. The next use opens new ones, to the database in the settings at that time."""
    if connection := kept.pop(os.getpid(), None):
        connection.close()
    if own := _engines.pop(os.getpid(), None):
        own.dispose()


def forbid(why: str) -> None:
    """Refuse each use of the database in this process and its children. `why` is the error message."""
    global _forbidden
    _forbidden = why


def is_forbidden() -> bool:
    """True if this process must not use a database."""
    return bool(_forbidden)


def is_file() -> bool:
    """True if the database is SQLite."""
    return engine().dialect.name == "sqlite"
