"""One post is sent with retry=True. The messenger answers the first request with an error."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Publish-retry mistaken for task-retry"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "started": 1, "failed": 1, "published": 0},
    "fixed": {"sent": 1, "started": 2, "failed": 0, "published": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Send one post while the messenger fails, and count how often it is tried."""
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
    """True if the post is not published, although it was sent with retries."""
    return counts["published"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"a post sent with retry=True was tried {counts['started']} times and published {counts['published']} times"
