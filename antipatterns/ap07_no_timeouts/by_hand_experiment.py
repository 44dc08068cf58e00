"""A job takes longer than three heartbeats of two seconds. A second consumer stands by."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "No heartbeat during a long job"
BROKERS = ("rabbitmq",)
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "handed out": 2, "published": 2},
    "fixed": {"sent": 1, "handed out": 1, "published": 1},
}
LONG = 8.0  # seconds; a broker gives up on a silent consumer a little after two heartbeats


def run(stage: Stage, module: str) -> Counts:
    """Let a job take long, and count how often it is done."""
    stage.by_hand(module)
    stage.publish("posts", "1")
    stage.until(lambda: stage.count("started"), "the post is being worked on")
    began = time.monotonic()
    stage.by_hand(module)
    stage.until(
        lambda: stage.count("started") == 2 or time.monotonic() - began > LONG, "another consumer has it, or time is up"
    )
    handed_out = stage.count("started")
    stage.let_pass("before the post")
    stage.until(lambda: stage.count("succeeded") == handed_out, "every consumer that has it is done")
    return {"sent": 1, "handed out": handed_out, "published": len(stage.posts())}


def failed(counts: Counts) -> bool:
    """True if the post was published more than once, though no consumer died."""
    return counts["published"] > 1


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"of {counts['sent']} post {counts['handed out']} were handed out and {counts['published']} published"
