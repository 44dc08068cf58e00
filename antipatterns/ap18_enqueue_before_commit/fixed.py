"""Commit, then enqueue: no worker hears of a post before it is there."""

import os
import sqlite3

from celery import Celery

from experiments.evidence import hold

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.broker_transport_options = {"confirm_publish": True}


@app.task(name="process_post")
def process_post(post: int) -> str:
    """Analyse a post."""
    row = sqlite3.connect(os.environ["DATABASE"]).execute("SELECT text FROM posts WHERE id = ?", [post]).fetchone()
    if row is None:
        raise LookupError(f"there is no post {post}")
    return str(row[0])


if __name__ == "__main__":
    database = sqlite3.connect(os.environ["DATABASE"])
    with database:  # commits when the block ends
        database.execute("INSERT INTO posts VALUES (7, 'Kia Rio, 98 000 km')")
        hold("before the commit")
    process_post.delay(7)
