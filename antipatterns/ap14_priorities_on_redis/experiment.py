"""Five ordinary posts and then an urgent one wait in the queue. A worker starts."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Priorities upside down on Redis"
BROKERS = ("redis",)
FIGURE = (1, "the urgent one came as number")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"waiting": 6, "the urgent one came as number": 6},
    "fixed": {"waiting": 6, "the urgent one came as number": 1},
}


def run(stage: Stage, module: str) -> Counts:
    """Fill the queue, start a worker, and look when the urgent post has its turn."""
    stage.run(module)
    stage.celery(module)
    stage.until(lambda: stage.count("succeeded") == 6, "all six are done")
    order = [note.facts["arguments"][0] for note in stage.notes("started")]
    return {"waiting": 6, "the urgent one came as number": order.index(100) + 1}


def failed(counts: Counts) -> bool:
    """True if the urgent post came last."""
    return counts["the urgent one came as number"] == counts["waiting"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"the urgent post came as number {counts['the urgent one came as number']} of {counts['waiting']}"
