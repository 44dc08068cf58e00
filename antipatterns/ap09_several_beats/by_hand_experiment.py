"""Two schedulers run for four ticks; the one that ticked last is killed; three more are due."""

from antipatterns.ap09_several_beats.experiment import due
from antipatterns.experiment import Counts, Due
from experiments.evidence import Note
from experiments.stage import Stage

NAME = "Two schedulers"
BROKERS = ("rabbitmq",)
FIGURE = ("ticks due", "ticks that came")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {
        "schedulers": 2,
        "ticks due": 7,
        "ticks that came": (10, 11),
    },  # the other's fourth may be the first of three
    "fixed": {"schedulers": 2, "ticks due": 7, "ticks that came": 7},
}
EVERY = 0.5  # seconds from one tick to the next


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks, and how many were due from the first to the last of them; a killed scheduler is no excuse."""
    schedulers = {each.pid: each for each in (stage.by_hand(module), stage.by_hand(module))}
    alone = len(ticks(stage))  # the first one's, before there were two
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 4, "four ticks are due and have come")
    stage.kill(schedulers[ticks(stage)[-1].pid])
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 7, "the other one ticks three times")
    counted = ticks(stage)[alone:]
    return {"schedulers": 2, "ticks due": due(counted, EVERY), "ticks that came": len(counted)}


def ticks(stage: Stage) -> list[Note]:
    """All ticks, whoever sent them."""
    return stage.notes("published")


def failed(counts: Counts) -> bool:
    """There were more ticks than were due."""
    return counts["ticks that came"] > counts["ticks due"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"{counts['ticks due']} ticks were due and {counts['ticks that came']} came"
