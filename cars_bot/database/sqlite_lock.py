"""SQLite's write lock: a connection that finds it taken asks again soon, and does not sleep long.

SQLite lets one writer in at a time, for about a twentieth of a millisecond. SQLite itself waits for the lock with long
pauses: 1, 2, 5, 10 … ms, at most 100. Two busy workers slept for half of their time. So SQLite's own wait is switched
off. The connection waits itself, with short pauses: 10, 20, 40, 80 … µs, at most 1,000.
"""

import sqlite3
import time
from typing import Any

PATIENCE = 5.0  # seconds to wait for the lock, if the connection has no `patience` of its own
SHORTEST_PAUSE, LONGEST_PAUSE = 0.000_01, 0.001  # seconds between tries; each is twice the one before

# A commit writes to a log (WAL). After so many pages of 4 KiB, a commit also copies the log into the file and waits for
# the disk. SQLite's own number is 1,000. With it, a busy lane did this 30 times a second.
_CHECKPOINT_PAGES = 4_000
_AT_CONNECT = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}",
)


class PatientConnection(sqlite3.Connection):
    """A connection whose statements wait `patience` seconds for the lock. None: they wait `PATIENCE` seconds."""

    patience: float | None = None

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that waits. The factory is ignored."""
        return super().cursor(_PatientCursor)


class _PatientCursor(sqlite3.Cursor):
    connection: PatientConnection

    def execute(self, sql: str, parameters: Any = ()) -> "_PatientCursor":
        """See `sqlite3.Cursor.execute`.

        Raises:
            sqlite3.OperationalError: as usual, or the lock was not free within the connection's patience.
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
    """True if another try helps. It does not help a reader whose data another writer has changed meanwhile."""
    return error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)


CONNECT_ARGS = {"factory": PatientConnection, "timeout": 0.0}  # of `sqlite3.connect`


def prepare(connection: PatientConnection) -> None:
    """Set up a new connection."""
    for statement in _AT_CONNECT:
        connection.execute(statement)
