"""One post is sent to one worker with one process, which has all the time that it needs and three seconds more."""

import time

from antipatterns.experiment import Counts
from experiments.stage import Stage

NAME = ".get() inside a task"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sub-tasks sent", "sub-tasks started")  # what was due, and what came
WINDOW = 3.0  # seconds; a chain of two takes a few hundredths


def run(stage: Stage, module: str) -> Counts:
    """Send one post, and look who waits for whom when the time is over."""
    stage.celery(module, pool="prefork")
    stage.send("process_post", "Kia Rio, 98 000 km")
    stage.until(lambda: stage.count("started"), "the post is being processed")
    began = time.monotonic()
    stage.until(
        lambda: stage.count("succeeded", task="describe_post") or time.monotonic() - began > WINDOW,
        "done, or time is up",
    )
    return {
        "sent": 1,
        "sub-tasks sent": stage.count("published"),
        "sub-tasks started": stage.count("started") - 1,
        "described": stage.count("succeeded", task="describe_post"),
    }


def failed(counts: Counts) -> bool:
    """The sub-task was sent and could not start."""
    return counts["sub-tasks sent"] > 0 and counts["sub-tasks started"] == 0


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return (
        f"{counts['sub-tasks started']} of {counts['sub-tasks sent']} sub-tasks were started within three seconds, "
        f"{counts['described']} of {counts['sent']} posts described"
    )
