"""The same post is sent twice, as after an impatient second click. Two workers take one copy each."""

import sqlite3

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Check-then-act idempotency"
BROKERS = ("rabbitmq", "redis")
FIGURE = (1, "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"copies": 2, "got past the question": 2, "published": 2},
    "fixed": {"copies": 2, "got past the question": 1, "published": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Send a post twice, let both copies go as far as they can, and count the posts in the channel."""
    with sqlite3.connect(stage.environment["DATABASE"]) as database:
        database.execute("CREATE TABLE published (post INTEGER PRIMARY KEY)")
    stage.celery(module, concurrency=2)
    for _ in range(2):
        stage.send("publish_post", 7)
    stage.until(
        lambda: stage.count("holds") + stage.count("succeeded") == 2, "each copy is about to post, or was told no"
    )
    passed = stage.count("holds")
    stage.let_pass("before the post")
    stage.until(lambda: stage.count("succeeded") == 2, "both have ended")
    return {"copies": 2, "got past the question": passed, "published": len(stage.posts())}


def failed(counts: Counts) -> bool:
    """True if the post is in the channel more than once."""
    return counts["published"] > 1


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['got past the question']} of {counts['copies']} copies got past the question, "
        f"the post is in the channel {counts['published']} times"
    )
