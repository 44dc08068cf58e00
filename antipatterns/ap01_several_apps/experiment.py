"""The API sends six posts. A worker reads the queue that the worker's app names, and has all the time it needs."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Several Celery() apps"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 6, "published": 0, "waiting where nobody listens": 6},
    "fixed": {"sent": 6, "published": 6, "waiting where nobody listens": 0},
}


def run(stage: Stage, module: str) -> Counts:
    """Send with the API's app, start a worker with the worker's app, and look where the messages are."""
    stage.run(module)
    stage.celery(module)
    sentinel = stage.send("publish_post", 99, queue="cars_bot")  # behind all messages that the worker could find
    stage.until(lambda: stage.count("succeeded", id=sentinel), "the worker has come to the end of its queue")
    return {
        "sent": 6,
        "published": len(stage.posts()) - 1,
        "waiting where nobody listens": stage.waiting("celery"),
    }


def failed(counts: Counts) -> bool:
    """True if none of the posts that were sent was published."""
    return counts["published"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['sent']} posts were sent, {counts['published']} published; "
        f"{counts['waiting where nobody listens']} wait in a queue that no worker reads"
    )
