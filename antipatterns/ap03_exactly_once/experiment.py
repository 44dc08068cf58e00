"""One charge is sent. Its worker is killed after the charge and before the acknowledgement. Another takes over."""

import sqlite3

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Expecting exactly-once"
BROKERS = ("rabbitmq",)
FIGURE = ("sent", "charged")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "started": 2, "charged": 2, "left in the queue": 0},
    "fixed": {"sent": 1, "started": 2, "charged": 1, "left in the queue": 0},
}


def run(stage: Stage, module: str) -> Counts:
    """Send one charge, and count how often it is taken."""
    with sqlite3.connect(stage.environment["DATABASE"]) as database:
        database.execute("CREATE TABLE subscribers (id INTEGER PRIMARY KEY, balance INTEGER)")
        database.execute("CREATE TABLE charges (id TEXT PRIMARY KEY)")
        database.execute("INSERT INTO subscribers VALUES (7, 1000)")
    victim = stage.celery(module, pool="prefork")
    stage.send("charge_subscription", 7)
    stage.until(lambda: stage.count("holds"), "the charge is made and the task still runs")
    stage.kill(victim)
    stage.until(lambda: not stage.consumers(), "the broker knows that the worker is gone")
    stage.let_pass("after the charge")
    stage.celery(module, pool="prefork")
    stage.until(lambda: stage.count("succeeded"), "another worker has ended the task")
    (balance,) = database.execute("SELECT balance FROM subscribers").fetchone()
    return {
        "sent": stage.count("sent"),
        "started": stage.count("started"),
        "charged": (1000 - balance) // 100,
        "left in the queue": stage.waiting(),
    }


def failed(counts: Counts) -> bool:
    """True if more charges were taken than sent."""
    return counts["charged"] > counts["sent"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['sent']} charge was sent, started {counts['started']} times and taken {counts['charged']} times"
