"""A consumer writes that it has published fifty posts, and is killed. Then its log is read."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "print in a consumer"
BROKERS = ("rabbitmq",)
FIGURE = ("messages", "lines")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"messages": 50, "lines": 0, "with a level": 0},
    "fixed": {"messages": 50, "lines": 50, "with a level": 50},
}


def run(stage: Stage, module: str) -> Counts:
    """Let the consumer publish fifty posts, kill it, and count the lines about them in its log."""
    consumer = stage.by_hand(module)
    stage.publish("posts", "50")
    stage.until(lambda: stage.count("holds"), "all fifty are published")
    stage.kill(consumer)
    lines = [line for line in consumer.output().splitlines() if "is published" in line]
    return {"messages": 50, "lines": len(lines), "with a level": sum(" INFO " in line for line in lines)}


def failed(counts: Counts) -> bool:
    """True if the log has fewer lines than there were messages."""
    return counts["lines"] < counts["messages"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['messages']} messages, {counts['lines']} lines in the log of a killed consumer"
