"""Two schedulers run for four ticks. The one that ticked last is killed. Three more ticks are due."""

from antipatterns.ap09_several_beats.experiment import due
from antipatterns.experiment import Counts, Due
from experiments.evidence import Note
from experiments.stage import Stage

NAME = "Two schedulers"
BROKERS = ("rabbitmq",)
FIGURE = ("ticks due", "ticks that came")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {
        "schedulers": 2,
        "ticks due": 7,
        "ticks that came": (10, 11),
    },  # the other scheduler's fourth tick may count as the first of the three
    "fixed": {"schedulers": 2, "ticks due": 7, "ticks that came": 7},
}
EVERY = 1.0  # seconds from one tick to the next


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks that came, and the ticks that were due in that time. The count goes on past the kill."""
    schedulers = {each.pid: each for each in (stage.by_hand(module), stage.by_hand(module))}
    alone = len(ticks(stage))  # ticks of the first scheduler, before there were two
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 4, "four ticks are due and have come")
    stage.kill(schedulers[ticks(stage)[-1].pid])
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 7, "the other one ticks three times")
    counted = ticks(stage)[alone:]
    return {"schedulers": 2, "ticks due": due(counted, EVERY), "ticks that came": len(counted)}


def ticks(stage: Stage) -> list[Note]:
    """Return all ticks, from both schedulers."""
    return stage.notes("published")


def failed(counts: Counts) -> bool:
    """True if more ticks came than were due."""
    return counts["ticks that came"] > counts["ticks due"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['ticks due']} ticks were due and {counts['ticks that came']} came"
