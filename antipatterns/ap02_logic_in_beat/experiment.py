"""A job hangs on Google for three seconds; meanwhile another is due twice a second. Then Beat is killed."""

import time

from antipatterns.experiment import Counts
from experiments.stage import Stage

NAME = "Business logic in Beat"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("ticks due during the long job", "ticks that came")  # what was due, and what came
WINDOW = 3.0  # seconds for which ticks are counted while the long job runs


def run(stage: Stage, module: str) -> Counts:
    """Count the ticks of the short job during the long one, and whether the long one survives Beat."""
    stage.celery(module, concurrency=4)
    beat = stage.beat(module)
    stage.until(lambda: stage.count("holds"), "the long job is under way")
    before, began = stage.count("started", task="health_check"), time.monotonic()
    stage.until(lambda: time.monotonic() - began > WINDOW, "the time in which ticks are counted is over")
    ticks = stage.count("started", task="health_check") - before
    stage.kill(beat)
    begun = stage.count("holds")
    stage.let_pass("the sheet")
    sentinel = stage.send("health_check")
    stage.until(lambda: stage.count("succeeded", id=sentinel), "a worker is there and works")
    if any(each.pid != beat.pid for each in stage.notes("holds")):
        stage.until(lambda: stage.count("succeeded", task="sync_channels") >= begun, "the long job ends in its worker")
    return {
        "ticks due during the long job": int(WINDOW / 0.5),
        "ticks that came": ticks,
        "long jobs begun": begun,
        "ended although Beat was killed": stage.count("succeeded", task="sync_channels"),
    }


def failed(counts: Counts) -> bool:
    """The long job held up the schedule and died with Beat."""
    return counts["ticks that came"] == 0 and counts["ended although Beat was killed"] == 0


def verdict(counts: Counts) -> str:
    """What the counts say."""
    return (
        f"{counts['ticks that came']} of {counts['ticks due during the long job']} ticks came while the long job ran; "
        f"{counts['ended although Beat was killed']} of {counts['long jobs begun']} long jobs outlived Beat"
    )
