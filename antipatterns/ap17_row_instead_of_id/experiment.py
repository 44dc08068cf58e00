"""A post is sent to be described. Before a worker takes it, the seller lowers the price."""

import sqlite3

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Passing a row instead of an id"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("price the seller set", "price in the end")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"price the seller set": 850_000, "price in the end": 900_000, "described": 1},
    "fixed": {"price the seller set": 850_000, "price in the end": 850_000, "described": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Send a post, lower its price, let a worker describe it, and look at the price."""
    database = sqlite3.connect(stage.environment["DATABASE"], isolation_level=None)
    database.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, price INTEGER, description TEXT)")
    database.execute("INSERT INTO posts VALUES (7, 900000, NULL)")
    stage.run(module, "7")
    database.execute("UPDATE posts SET price = 850000 WHERE id = 7")
    stage.note("price lowered", price=850000)
    stage.celery(module)
    stage.until(lambda: stage.count("succeeded"), "it is described")
    price, description = database.execute("SELECT price, description FROM posts WHERE id = 7").fetchone()
    database.close()
    return {
        "price the seller set": 850000,
        "price in the end": price,
        "described": int(description is not None),
    }


def failed(counts: Counts) -> bool:
    """True if the seller's change is gone."""
    return counts["price in the end"] != counts["price the seller set"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"the seller set {counts['price the seller set']:,}, in the end it is {counts['price in the end']:,}"
