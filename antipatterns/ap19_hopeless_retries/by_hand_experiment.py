"""One post is longer than the messenger accepts. The post behind it has no fault."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Requeue for ever"
BROKERS = ("rabbitmq",)
FIGURE = (1, "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"tried": 100, "in the dead letters": 0, "published": 0},
    "fixed": {"tried": 2, "in the dead letters": 1, "published": 1},
}
MANY = 100  # after so many starts of one message it is clear that they will not end


def run(stage: Stage, module: str) -> Counts:
    """Send both posts, and count how often the hopeless one is handed out."""
    stage.order_fault("error", 1)
    stage.by_hand(module)
    stage.publish("posts", "Post 1 " + "word " * 2_000)
    stage.publish("posts", "Post 2 is well")
    stage.until(
        lambda: stage.count("started", post="Post 1 ") >= MANY or (stage.waiting("dead") and stage.posts()),
        "the hopeless one is tried too often, or put aside and the other one published",
    )
    starts = stage.count("started", post="Post 1 ")
    return {"tried": min(starts, MANY), "in the dead letters": stage.waiting("dead"), "published": len(stage.posts())}


def failed(counts: Counts) -> bool:
    """True if the first post comes again and again, and nothing gets past it."""
    return counts["tried"] >= MANY and counts["published"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    often = f"{counts['tried']} times and more" if counts["tried"] >= MANY else f"{counts['tried']} times"
    return (
        f"a post that can never be published was tried {often}; of the one behind it {counts['published']} is published"
    )
