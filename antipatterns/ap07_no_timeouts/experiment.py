"""The messenger never answers the first of six requests. The worker has one process."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "No timeouts"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent behind the one that hangs", "published meanwhile")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent behind the one that hangs": 5, "published meanwhile": 0, "requests begun": 1},
    "fixed": {"sent behind the one that hangs": 5, "published meanwhile": 5, "requests begun": 6},
}
HANGS = 60  # seconds
WINDOW = 3.0  # seconds; if no post behind it has had its turn by then, none will while the first one hangs


def run(stage: Stage, module: str) -> Counts:
    """Send one post that hangs and five behind it, and count the posts that are done when the time is over."""
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
    """True if the posts behind the first one did not get their turn."""
    return counts["published meanwhile"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"one request hung; {counts['published meanwhile']} of {counts['sent behind the one that hangs']} "
        "posts behind it were published meanwhile"
    )
