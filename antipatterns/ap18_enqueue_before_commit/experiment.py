"""A post is stored and sent to be analysed. The commit takes a moment longer than the way to the worker."""

import sqlite3

from antipatterns.experiment import Counts, Due
from experiments.processes import python
from experiments.stage import Stage

NAME = "Enqueue before commit"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("posts", "analysed")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"posts": 1, "tried before the commit": 1, "not found": 1, "analysed": 0},
    "fixed": {"posts": 1, "tried before the commit": 0, "not found": 0, "analysed": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Delay the commit until the worker has tried the post, if it can. Then allow it, and look at the result."""
    with sqlite3.connect(stage.environment["DATABASE"]) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT)")
    stage.celery(module)
    sender = stage.start(*python("-m", module))
    stage.until(lambda: stage.count("holds"), "it is about to commit")
    sentinel = stage.send("process_post", -1)  # behind all that was sent before the commit
    stage.until(lambda: stage.count("failed", id=sentinel), "the worker has tried all that was sent so far")
    tried = stage.count("failed") - 1
    stage.let_pass("before the commit")
    stage.until(lambda: not sender.is_alive(), "it is committed")
    stage.until(lambda: stage.count("succeeded") + stage.count("failed") == 2, "the post was tried")
    (stored,) = database.execute("SELECT count(*) FROM posts").fetchone()
    return {
        "posts": stored,
        "tried before the commit": tried,
        "not found": stage.count("failed") - 1,
        "analysed": stage.count("succeeded"),
    }


def failed(counts: Counts) -> bool:
    """True if the post is stored and the worker did not find it."""
    return counts["posts"] == 1 and counts["analysed"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['posts']} post was stored, tried {counts['tried before the commit']} times before that, "
        f"and analysed {counts['analysed']} times"
    )
