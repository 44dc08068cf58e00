"""Five posts are sent while the messenger answers ten requests with an error."""

from antipatterns.experiment import Counts, Due
from experiments.stage import PATIENCE, Stage

NAME = "External calls without retry"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 5, "requests": 5, "failed": 5, "published": 0},
    "fixed": {"sent": 5, "requests": 15, "failed": 0, "published": 5},
}


def run(stage: Stage, module: str) -> Counts:
    """Send five posts while the messenger fails, and count the posts that arrive in the end."""
    stage.order_fault("error", 10)
    stage.celery(module)
    for number in range(5):
        stage.send("publish_post", number)
    stage.until(lambda: stage.count("succeeded") + stage.count("failed") == 5, "all five have ended", PATIENCE * 2)
    return {
        "sent": 5,
        "requests": stage.count("request"),
        "failed": stage.count("failed"),
        "published": len(stage.posts()),
    }


def failed(counts: Counts) -> bool:
    """True if posts were lost to an error that passed."""
    return counts["published"] < counts["sent"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['published']} of {counts['sent']} posts were published, with {counts['requests']} requests"
