"""Five posts are sent to a worker that was told to find its tasks by itself."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Autodiscover without imports"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 5, "published": 0, "thrown away as unknown": 5, "left in the queue": 0},
    "fixed": {"sent": 5, "published": 5, "thrown away as unknown": 0, "left in the queue": 0},
}


def run(stage: Stage, module: str) -> Counts:
    """Send five posts, and look where they went."""
    stage.celery(module)
    for number in range(5):
        stage.send("publish_post", number)
    stage.until(lambda: stage.count("succeeded") + stage.count("unknown") == 5, "the worker has seen all five")
    stage.until(lambda: stage.waiting() == 0, "none is left in the queue")
    return {
        "sent": 5,
        "published": len(stage.posts()),
        "thrown away as unknown": stage.count("unknown"),
        "left in the queue": stage.waiting(),
    }


def failed(counts: Counts) -> bool:
    """True if the worker threw away posts that it should have published."""
    return counts["thrown away as unknown"] > 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    lost = counts["thrown away as unknown"]
    return f"{counts['published']} of {counts['sent']} posts were published, {lost} thrown away"
