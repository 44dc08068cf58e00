"""Rows: one for each post, in the web page's database. A row outlives workers, brokers and Redis keys that expire."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from experiments.evidence import hold


def accept(post_id: str, text: str) -> None:
    """Write the row of a new post, with the status "queued"."""
    hold(before_row(text))
    with _posts() as posts:
        posts.execute("INSERT INTO posts VALUES (?, ?, 'queued')", (post_id, text))


def change(post_id: str, status: str) -> None:
    """Change a post's status. Do nothing if the post has no row."""
    with _posts() as posts:
        posts.execute("UPDATE posts SET status = ? WHERE id = ?", (status, post_id))


def status_of(post_id: str) -> str | None:
    """Return a post's status; None if there is no such post."""
    with _posts() as posts:
        row = posts.execute("SELECT status FROM posts WHERE id = ?", (post_id,)).fetchone()
    return str(row[0]) if row else None


def before_row(text: str) -> str:
    """Return the name of the place where `accept` is held."""
    return f"the row {text!r}"


@contextmanager
def _posts() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(os.environ["DATABASE"], timeout=10)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS posts (id TEXT PRIMARY KEY, text TEXT, status TEXT NOT NULL)")
        yield connection
