"""Book: the posts in their database. The check can stop a process before each commit and after it."""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from experiments.evidence import hold, note
from experiments.messenger import post


def create(path: Path) -> None:
    """Make the table. `sent` is 0 until somebody marks the post."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")  # a reader does not wait for a writer
        database.execute(
            "CREATE TABLE posts (id TEXT PRIMARY KEY, text TEXT, sent INTEGER DEFAULT 0, published INTEGER DEFAULT 0)"
        )


@contextmanager
def writing(who: str) -> Iterator[sqlite3.Connection]:
    """Begin a transaction. It commits when the block ends. It rolls back if the block raises or the process dies.

    Args:
        who: "accept" or "relay".
    """
    with closing(connect()) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database
        hold(f"{who} is about to commit")
        database.execute("COMMIT")
        hold(f"{who} has committed")


def add(database: sqlite3.Connection, text: str) -> str:
    """Insert a post as not yet sent, and return its id."""
    post_id = uuid.uuid4().hex
    database.execute("INSERT INTO posts (id, text) VALUES (?, ?)", [post_id, text])
    return post_id


def mark_sent(database: sqlite3.Connection, post_id: str) -> None:
    """Record that the broker has the post's message."""
    database.execute("UPDATE posts SET sent = 1 WHERE id = ?", [post_id])


def unsent() -> list[str]:
    """Return the ids of the posts that are committed and not marked, oldest first."""
    with closing(connect()) as database:
        return [row[0] for row in database.execute("SELECT id FROM posts WHERE sent = 0 ORDER BY rowid")]


def publish(post_id: str) -> None:
    """Do the worker's job: publish a post in the channel. Recognise a copy of the message, as in lab 8."""
    note("asked", post=post_id)
    with closing(connect()) as database:
        row = database.execute("SELECT text, published FROM posts WHERE id = ?", [post_id]).fetchone()
        if row is None:
            note("no such post", post=post_id)
        elif not row[1]:
            post(row[0])
            database.execute("UPDATE posts SET published = 1 WHERE id = ?", [post_id])


def connect() -> sqlite3.Connection:
    """Open a connection. Each statement on it is a transaction of its own, unless one was begun."""
    return sqlite3.connect(os.environ["DATABASE"], timeout=30, isolation_level=None)
