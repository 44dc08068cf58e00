"""The messenger never answers the first of six requests; the worker has one process."""

import time

from antipatterns.experiment import Counts
from experiments.stage import Stage

NAME = "No timeouts"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent behind the one that hangs", "published in three seconds")  # what was due, and what came
WINDOW = 3.0  # seconds for which the five that are well have time; they take a few hundredths


def run(stage: Stage, module: str) -> Counts:
    """Send one post into the void and five behind it, and count who is done when the time is over."""
    stage.order_fault("hang", 1, seconds=60)
    stage.celery(module, pool="prefork")
    stage.send("publish_post", 0)
    stage.until(lambda: stage.count("request"), "the first request is on its way")
    began = time.monotonic()
    for number in range(1, 6):
        stage.send("publish_post", number)
    stage.until(
        lambda: stage.count("succeeded") == 5 or time.monotonic() - began > WINDOW, "they are done or time is up"
    )
    return {
        "sent behind the one that hangs": 5,
        "published in three seconds": len(stage.posts()),
        "requests begun": stage.count("request"),
    }


def failed(counts: Counts) -> bool:
    """Those behind it did not get their turn."""
    return counts["published in three seconds"] == 0


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return (
        f"one request hung; {counts['published in three seconds']} of {counts['sent behind the one that hangs']} "
        "posts behind it were published within three seconds"
    )
