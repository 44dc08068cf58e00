"""Book: the outcome of each post, for the editors. It has one row for each post, in SQLite."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from experiments.evidence import note

OUTCOMES = ("done", "failed", "unknown")


def record(text: str, outcome: str) -> None:
    """Record the outcome of a post.

    Args:
        outcome: "done": it is in the channel. "failed": it is not. "unknown": we cannot know, and an editor must look.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"an outcome is one of {OUTCOMES}, not {outcome!r}")
    note("recorded", text=text, outcome=outcome)
    with opened(Path(os.environ["DATABASE"])) as database:
        database.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", [text, outcome])


def recorded(path: Path) -> dict[str, str]:
    """Return the outcome of each post that has one."""
    with opened(path) as database:
        return dict(database.execute("SELECT text, outcome FROM outcomes").fetchall())


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the book. It commits when the block ends."""
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS outcomes (text TEXT PRIMARY KEY, outcome TEXT)")
        yield database
