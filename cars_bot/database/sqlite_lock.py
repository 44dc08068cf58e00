"""How to wait for SQLite's write lock: ask again soon, and not after a long sleep.

SQLite lets one writer in at a time, for about a twentieth of a millisecond. Whoever finds the lock taken sleeps for
1 ms, then for 2, 5, 10 and up to 100 ms: two busy workers slept for half of their time. So SQLite is told not to wait
at all, and the connection waits by itself, with short pauses.
"""

import sqlite3
import time
from typing import Any

PATIENCE = 5.0  # seconds for the lock, unless the connection is told otherwise
SHORTEST_PAUSE, LONGEST_PAUSE = 0.000_01, 0.001  # seconds between tries; each is twice the one before

# A commit writes to a log (WAL). After so many pages of 4 KiB the log is copied into the file, and somebody waits for
# the disk. With SQLite's own number, 1,000, that was 30 times a second on a busy lane.
_CHECKPOINT_PAGES = 4_000
_AT_CONNECT = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}",
)


class PatientConnection(sqlite3.Connection):
    """A connection whose statements wait for the lock for `patience` seconds. None: for `PATIENCE`."""

    patience: float | None = None

    def cursor(self, factory: Any = None) -> Any:
        """A cursor that waits, whatever the factory."""
        return super().cursor(_PatientCursor)


class _PatientCursor(sqlite3.Cursor):
    connection: PatientConnection

    def execute(self, sql: str, parameters: Any = ()) -> "_PatientCursor":
        """See `sqlite3.Cursor.execute`.

        Raises:
            sqlite3.OperationalError: also: the lock was not free within the connection's patience.
        """
        pause, give_up = SHORTEST_PAUSE, 0.0
        while True:
            try:
                return super().execute(sql, parameters)
            except sqlite3.OperationalError as error:
                give_up = give_up or time.monotonic() + (self.connection.patience or PATIENCE)
                if not _is_taken(error) or time.monotonic() > give_up:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _is_taken(error: sqlite3.OperationalError) -> bool:
    """Whether to ask again helps. It does not help a reader that wants to write what another has changed meanwhile."""
    return error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)


CONNECT_ARGS = {"factory": PatientConnection, "timeout": 0.0}  # of `sqlite3.connect`


def prepare(connection: PatientConnection) -> None:
    """Set up a new connection."""
    for statement in _AT_CONNECT:
        connection.execute(statement)
