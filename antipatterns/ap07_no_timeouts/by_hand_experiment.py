"""A job takes longer than three heartbeats of two seconds; a second consumer stands by."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "No heartbeat during a long job"
BROKERS = ("rabbitmq",)
FIGURE = ("sent", "published")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "handed out": 2, "published": 2},
    "fixed": {"sent": 1, "handed out": 1, "published": 1},
}
LONG = 8.0  # seconds; a broker gives up on a silent consumer after two heartbeats and a bit


def run(stage: Stage, module: str) -> Counts:
    """Let a job take long, and count how often it is done."""
    stage.by_hand(module)
    stage.publish("posts", "1")
    stage.until(lambda: stage.count("started"), "the post is being worked on")
    began = time.monotonic()
    stage.by_hand(module)
    stage.until(
        lambda: stage.count("started") == 2 or time.monotonic() - began > LONG, "somebody else has it, or time is up"
    )
    handed_out = stage.count("started")
    stage.let_pass("before the post")
    stage.until(lambda: stage.count("succeeded") == handed_out, "all who have it are done with it")
    return {"sent": 1, "handed out": handed_out, "published": len(stage.posts())}


def failed(counts: Counts) -> bool:
    """It was done more than once, though nobody died."""
    return counts["published"] > 1


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"of {counts['sent']} post {counts['handed out']} were handed out and {counts['published']} published"
