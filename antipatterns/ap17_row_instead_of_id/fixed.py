"""Passing an id: the task reads the post when it works on it."""

import os
import sqlite3
import sys

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])


def read(post: int) -> dict[str, object]:
    """Return the post's row."""
    columns = ("id", "price", "description")
    row = sqlite3.connect(os.environ["DATABASE"]).execute("SELECT * FROM posts WHERE id = ?", [post]).fetchone()
    return dict(zip(columns, row, strict=True))


@app.task(name="generate_description")
def generate_description(post: int) -> None:
    """Describe the car and save the post."""
    row = read(post)
    row["description"] = "A car in good condition"
    with sqlite3.connect(os.environ["DATABASE"]) as database:
        database.execute("UPDATE posts SET price = :price, description = :description WHERE id = :id", row)


if __name__ == "__main__":
    generate_description.delay(int(sys.argv[1]))
