"""Two Beats run the same schedule for four ticks. The one that ticked last is killed. Three more ticks are due."""

import math
from collections.abc import Sequence

from antipatterns.experiment import Counts, Due
from experiments.evidence import Note
from experiments.stage import Stage

NAME = "Several Beats"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("ticks due", "ticks that came")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"Beats": 2, "ticks due": 7, "ticks that came": (9, 12)},  # the two are not in step
    "fixed": {"Beats": 2, "ticks due": 7, "ticks that came": 7},
}
EVERY = 1.0  # seconds from one tick to the next


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks that came, and the ticks that were due in that time. The count goes on past the kill."""
    beats = {beat.pid: beat for beat in (stage.beat(module), stage.beat(module))}
    alone = len(ticks(stage))  # ticks of the first Beat, before there were two
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 4, "four ticks are due and have come")
    stage.kill(beats[ticks(stage)[-1].pid])
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 7, "the other one ticks three times")
    counted = ticks(stage)[alone:]
    return {"Beats": 2, "ticks due": due(counted, EVERY), "ticks that came": len(counted)}


def ticks(stage: Stage) -> list[Note]:
    """Return all ticks, from both Beats."""
    return stage.notes("published", task="sync_channels")


def due(came: Sequence[Note], every: float) -> int:
    """Return how many ticks were due in the time in which these came: the first, and one for each interval since.

    A tick is one too many if it comes before three quarters of an interval have passed since the last due one.
    """
    number, last = 0, -math.inf
    for tick in came:
        if tick.at - last >= 0.75 * every:
            number += max(1, round((tick.at - last) / every)) if number else 1
            last = tick.at
    return number


def failed(counts: Counts) -> bool:
    """True if more ticks came than were due."""
    return counts["ticks that came"] > counts["ticks due"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['ticks due']} ticks were due and {counts['ticks that came']} came"
