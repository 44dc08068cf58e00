"""One post is sent. Its consumer is killed before it publishes the post. Another consumer takes over."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Acknowledging before the work"
BROKERS = ("rabbitmq",)
FIGURE = ("sent", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 1, "started": 1, "published": 0, "left in the queue": 0},
    "fixed": {"sent": 1, "started": 2, "published": 1, "left in the queue": 0},
}


def run(stage: Stage, module: str) -> Counts:
    """Send a post, kill its consumer at work, and see whether the next one finds it."""
    victim = stage.by_hand(module)
    stage.publish("posts", "1")
    stage.until(lambda: stage.count("holds"), "the post is being worked on")
    stage.kill(victim)
    stage.until(lambda: not stage.consumers("posts"), "the broker has read everything from the consumer, and its end")
    stage.let_pass("before the post")
    stage.by_hand(module)
    stage.publish("posts", "2")  # behind the first one, if that is there again
    stage.until(lambda: stage.count("succeeded", post="2"), "the next consumer has come to the end of the queue")
    return {
        "sent": 1,
        "started": stage.count("started", post="1"),
        "published": stage.posts().count("Post 1"),
        "left in the queue": stage.waiting("posts"),
    }


def failed(counts: Counts) -> bool:
    """True if the post is neither published nor in the queue."""
    return counts["published"] == 0 and counts["left in the queue"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['sent']} post was sent, started {counts['started']} times, published {counts['published']} times"
