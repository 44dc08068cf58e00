"""One post is longer than the messenger accepts. Another one meets an error that passes."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Retrying what can never succeed"
BROKERS = ("rabbitmq", "redis")
FIGURE = (1, "starts of the one that cannot")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"starts of the one that may succeed": 2, "starts of the one that cannot": 6, "published": 1},
    "fixed": {"starts of the one that may succeed": 2, "starts of the one that cannot": 1, "published": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Send both posts, and count how often each one is started."""
    stage.order_fault("error", 1)
    stage.celery(module)
    passing = stage.send("publish_post", 1, 3)
    stage.until(lambda: stage.count("succeeded", id=passing), "the one that met an error is published")
    hopeless = stage.send("publish_post", 2, 2_000)
    stage.until(lambda: stage.count("failed", id=hopeless), "the one that is too long is given up")
    return {
        "starts of the one that may succeed": stage.count("started", id=passing),
        "starts of the one that cannot": stage.count("started", id=hopeless),
        "published": len(stage.posts()),
    }


def failed(counts: Counts) -> bool:
    """True if the post that cannot succeed was tried again."""
    return counts["starts of the one that cannot"] > 1


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"a post that can never be published was tried {counts['starts of the one that cannot']} times"
