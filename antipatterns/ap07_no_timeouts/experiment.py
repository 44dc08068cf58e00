"""The messenger never answers the first of six requests; the worker has one process."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "No timeouts"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent behind the one that hangs", "published meanwhile")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"sent behind the one that hangs": 5, "published meanwhile": 0, "requests begun": 1},
    "fixed": {"sent behind the one that hangs": 5, "published meanwhile": 5, "requests begun": 6},
}
HANGS = 60  # seconds
WINDOW = 3.0  # seconds; if none of those behind it has had its turn by then, none will while the first one hangs


def run(stage: Stage, module: str) -> Counts:
    """Send one post into the void and five behind it, and count who is done when the time is over."""
    stage.order_fault("hang", 1, seconds=HANGS)
    stage.celery(module, pool="prefork")
    stage.send("publish_post", 0)
    stage.until(lambda: stage.count("request"), "the first request is on its way")
    began = time.monotonic()
    for number in range(1, 6):
        stage.send("publish_post", number)
    stage.until(
        lambda: stage.count("succeeded") == 5 or (stage.count("request") == 1 and time.monotonic() - began > WINDOW),
        "they are done, or have no turn",
    )
    return {
        "sent behind the one that hangs": 5,
        "published meanwhile": len(stage.posts()),
        "requests begun": stage.count("request"),
    }


def failed(counts: Counts) -> bool:
    """Those behind it did not get their turn."""
    return counts["published meanwhile"] == 0


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return (
        f"one request hung; {counts['published meanwhile']} of {counts['sent behind the one that hangs']} "
        "posts behind it were published meanwhile"
    )
