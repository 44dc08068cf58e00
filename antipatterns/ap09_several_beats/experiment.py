"""Two Beats run with the same schedule for four ticks; the one that ticked last is killed; three more are due."""

import math
from collections.abc import Sequence

from antipatterns.experiment import Counts, Due
from experiments.evidence import Note
from experiments.stage import Stage

NAME = "Several Beats"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("ticks due", "ticks that came")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"Beats": 2, "ticks due": 7, "ticks that came": (9, 12)},  # the two are not in step
    "fixed": {"Beats": 2, "ticks due": 7, "ticks that came": 7},
}
EVERY = 1.0  # seconds from one tick to the next


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks, and how many were due from the first to the last of them; a killed Beat is no excuse."""
    beats = {beat.pid: beat for beat in (stage.beat(module), stage.beat(module))}
    alone = len(ticks(stage))  # the first one's, before there were two
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 4, "four ticks are due and have come")
    stage.kill(beats[ticks(stage)[-1].pid])
    stage.until(lambda: due(ticks(stage)[alone:], EVERY) >= 7, "the other one ticks three times")
    counted = ticks(stage)[alone:]
    return {"Beats": 2, "ticks due": due(counted, EVERY), "ticks that came": len(counted)}


def ticks(stage: Stage) -> list[Note]:
    """All ticks, whoever sent them."""
    return stage.notes("published", task="sync_channels")


def due(came: Sequence[Note], every: float) -> int:
    """How many ticks were due in the time in which these came: the first, and one for each interval since.

    A tick that comes before three quarters of an interval have passed since the last that was due is one too many.
    """
    number, last = 0, -math.inf
    for tick in came:
        if tick.at - last >= 0.75 * every:
            number += max(1, round((tick.at - last) / every)) if number else 1
            last = tick.at
    return number


def failed(counts: Counts) -> bool:
    """There were more ticks than were due."""
    return counts["ticks that came"] > counts["ticks due"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return f"{counts['ticks due']} ticks were due and {counts['ticks that came']} came"
