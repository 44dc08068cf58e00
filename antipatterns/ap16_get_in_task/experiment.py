"""One post is sent to a worker with one process. The worker has three seconds to begin the next step."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = ".get() inside a task"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sub-tasks sent", "sub-tasks started")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "sub-tasks sent": 1, "sub-tasks started": 0, "described": 0},
    "fixed": {"sent": 1, "sub-tasks sent": 2, "sub-tasks started": 2, "described": 1},
}
WINDOW = 3.0  # seconds; the next task of a chain begins within a few hundredths


def run(stage: Stage, module: str) -> Counts:
    """Send one post, and count the sub-tasks that have started when the time is over."""
    stage.celery(module, pool="prefork")
    stage.send("process_post", "Kia Rio, 98 000 km")
    stage.until(lambda: stage.count("started"), "the post is being processed")
    began = time.monotonic()
    stage.until(
        lambda: (
            stage.count("succeeded", task="describe_post")
            or (stage.count("started") == 1 and time.monotonic() - began > WINDOW)
        ),
        "done, or nothing has started for long",
    )
    return {
        "sent": 1,
        "sub-tasks sent": stage.count("published"),
        "sub-tasks started": stage.count("started") - 1,
        "described": stage.count("succeeded", task="describe_post"),
    }


def failed(counts: Counts) -> bool:
    """True if a sub-task was sent and none could start."""
    return counts["sub-tasks sent"] > 0 and counts["sub-tasks started"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['sub-tasks started']} of {counts['sub-tasks sent']} sub-tasks were started, "
        f"{counts['described']} of {counts['sent']} posts described"
    )
