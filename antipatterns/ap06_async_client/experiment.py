"""One worker publishes ten posts, one after the other."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Async clients in tasks"
BROKERS = ("rabbitmq", "redis")
FIGURE = (0, "failed")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 10, "succeeded": 5, "failed": 5, "event loop is closed": 5, "published": 10},
    "fixed": {"sent": 10, "succeeded": 10, "failed": 0, "event loop is closed": 0, "published": 10},
}


def run(stage: Stage, module: str) -> Counts:
    """Publish ten posts, and compare the worker's events with the channel."""
    stage.celery(module)
    for number in range(10):
        stage.send("publish_post", number)
    stage.until(lambda: stage.count("succeeded") + stage.count("failed") == 10, "all ten have ended")
    return {
        "sent": 10,
        "succeeded": stage.count("succeeded"),
        "failed": stage.count("failed"),
        "event loop is closed": sum("Event loop is closed" in note.facts["error"] for note in stage.notes("failed")),
        "published": len(stage.posts()),
    }


def failed(counts: Counts) -> bool:
    """True if tasks failed although the messenger did nothing wrong."""
    return counts["event loop is closed"] > 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['failed']} of {counts['sent']} tasks failed, {counts['event loop is closed']} of them with "
        f"'Event loop is closed'; {counts['published']} posts are in the channel"
    )
