"""One job hangs in a request to Google. Meanwhile another job is due twice a second, six times. Then Beat is killed."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Business logic in Beat"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("ticks due during the long job", "ticks that came")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"ticks due during the long job": 6, "ticks that came": 0, "long jobs that outlived Beat": 0},
    "fixed": {"ticks due during the long job": 6, "ticks that came": 6, "long jobs that outlived Beat": 1},
}
TICKS = 6  # of the short job; the experiment waits for them during the long one
WINDOW = 3.0  # seconds in which they are due; if none has come by then, none will come


def run(stage: Stage, module: str) -> Counts:
    """Count the short job's ticks during the long job, and see whether the long job outlives Beat."""
    stage.celery(module, concurrency=8)  # the long job is due every two seconds, and each one keeps a thread
    beat = stage.beat(module)
    held = stage.until(lambda: stage.notes("holds"), "the long job is under way")[0]
    long_job = stage.notes("started", task="sync_channels")[0].facts["id"]
    before, began = stage.count("started", task="health_check"), time.monotonic()

    def ticks() -> int:
        return min(stage.count("started", task="health_check") - before, TICKS)

    stage.until(
        lambda: ticks() == TICKS or (not ticks() and time.monotonic() - began > WINDOW), "the ticks come, or none does"
    )
    came = ticks()
    stage.kill(beat)
    stage.let_pass("the sheet")
    if held.pid != beat.pid:
        stage.until(lambda: stage.count("succeeded", id=long_job), "the long job ends in its worker")
    sentinel = stage.send("health_check")
    stage.until(lambda: stage.count("succeeded", id=sentinel), "a worker is there and works")
    return {
        "ticks due during the long job": TICKS,
        "ticks that came": came,
        "long jobs that outlived Beat": stage.count("succeeded", id=long_job),
    }


def failed(counts: Counts) -> bool:
    """True if the long job held up the schedule and died with Beat."""
    return counts["ticks that came"] == 0 and counts["long jobs that outlived Beat"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['ticks that came']} of {counts['ticks due during the long job']} ticks came while the long job ran; "
        f"{counts['long jobs that outlived Beat']} of 1 long job outlived Beat"
    )
