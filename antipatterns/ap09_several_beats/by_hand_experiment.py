"""Two schedulers run until one of them has ticked eight times; then that one is killed."""

from collections import Counter

from antipatterns.experiment import Counts
from experiments.stage import Stage

NAME = "Two schedulers"
BROKERS = ("rabbitmq",)
FIGURE = ("ticks due", "ticks that came")  # what was due, and what came


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks that lie in the queue, and whether ticks go on when the busier scheduler dies."""
    schedulers = {each.pid: each for each in (stage.by_hand(module), stage.by_hand(module))}
    alone = ticks(stage)  # the first one's, before there were two
    stage.until(lambda: max((ticks(stage) - alone).values(), default=0) >= 8, "one of them has ticked eight times")
    busier, due = (ticks(stage) - alone).most_common(1)[0]
    stage.kill(schedulers[busier])
    came = (ticks(stage) - alone).total()
    (other,) = schedulers.keys() - {busier}
    before = ticks(stage)[other]
    stage.until(lambda: ticks(stage)[other] > before, "the other one ticks")
    return {"schedulers": 2, "ticks due": due, "ticks that came": came, "went on with one dead": 1}


def ticks(stage: Stage) -> Counter[int]:
    """How often each scheduler has ticked."""
    return Counter(note.pid for note in stage.notes("published"))


def failed(counts: Counts) -> bool:
    """There were clearly more ticks than were due."""
    return counts["ticks that came"] > 1.5 * counts["ticks due"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"{counts['ticks due']} ticks were due and {counts['ticks that came']} came"
