"""One post is sent with retry=True; the messenger answers the first request with an error."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Publish-retry mistaken for task-retry"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent", "published")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "started": 1, "failed": 1, "published": 0},
    "fixed": {"sent": 1, "started": 2, "failed": 0, "published": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Send one post into a bad moment, and count how often it is tried."""
    stage.order_fault("error", 1)
    stage.celery(module)
    stage.run(module)
    stage.until(lambda: stage.count("succeeded") + stage.count("failed"), "it has ended")
    return {
        "sent": 1,
        "started": stage.count("started"),
        "failed": stage.count("failed"),
        "published": len(stage.posts()),
    }


def failed(counts: Counts) -> bool:
    """It was sent with retries and tried once."""
    return counts["published"] == 0


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"a post sent with retry=True was tried {counts['started']} times and published {counts['published']} times"
