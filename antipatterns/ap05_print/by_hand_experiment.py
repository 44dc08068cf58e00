"""A consumer says that it has published fifty posts, and is killed; then its log is read."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "print in a consumer"
BROKERS = ("rabbitmq",)
FIGURE = ("messages", "lines")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"messages": 50, "lines": 0, "with a level": 0},
    "fixed": {"messages": 50, "lines": 50, "with a level": 50},
}


def run(stage: Stage, module: str) -> Counts:
    """Have fifty posts published, kill the consumer, and count the lines that tell of them."""
    consumer = stage.by_hand(module)
    stage.publish("posts", "50")
    stage.until(lambda: stage.count("holds"), "all fifty are published")
    stage.kill(consumer)
    lines = [line for line in consumer.output().splitlines() if "is published" in line]
    return {"messages": 50, "lines": len(lines), "with a level": sum(" INFO " in line for line in lines)}


def failed(counts: Counts) -> bool:
    """Nothing tells of what was done."""
    return counts["lines"] < counts["messages"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"{counts['messages']} messages, {counts['lines']} lines in the log of a killed consumer"
