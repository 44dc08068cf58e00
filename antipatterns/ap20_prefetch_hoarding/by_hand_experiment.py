"""A hundred posts go to a consumer that is busy with the first one for long. Then an idle one comes to help."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "No prefetch limit"
BROKERS = ("rabbitmq",)
FIGURE = (99, "done by the idle consumer")  # the value that was due, and the count that came
WINDOW = 1.0  # seconds in which the broker hands out messages in advance; that takes a few hundredths
DUE: dict[str, Due] = {
    "broken": {"sent": 100, "held by the busy consumer": 99, "done by the idle consumer": 0},
    "fixed": {"sent": 100, "held by the busy consumer": 0, "done by the idle consumer": 99},
}


def run(stage: Stage, module: str) -> Counts:
    """Send a hundred posts, start a second consumer, and count the posts that it did while the first was busy."""
    stage.by_hand(module)
    for number in range(1, 101):
        stage.publish("posts", str(number))
    stage.until(lambda: stage.count("holds"), "the first consumer is busy")
    began = time.monotonic()
    stage.until(
        lambda: not stage.waiting("posts") or time.monotonic() - began > WINDOW,
        "it has taken all that it takes in advance",
    )
    held = 99 - stage.waiting("posts")
    idle = stage.by_hand(module)
    for sentinel in ("101", "102"):  # the broker hands them out in turns: at least one goes to the idle consumer
        stage.publish("posts", sentinel)
    stage.until(lambda: mine(stage, idle.pid) & {101, 102}, "the idle consumer has done one of the last two posts")
    stage.until(lambda: stage.waiting("posts") == 0, "there is nothing left for it")
    helped = len(mine(stage, idle.pid) - {101, 102})
    stage.let_pass("the long post")
    stage.until(lambda: stage.count("succeeded") == 102, "all are done in the end")
    return {"sent": 100, "held by the busy consumer": held, "done by the idle consumer": helped}


def mine(stage: Stage, pid: int) -> set[int]:
    """Return the posts that a consumer has done."""
    return {int(note.facts["post"]) for note in stage.notes("succeeded") if note.pid == pid}


def failed(counts: Counts) -> bool:
    """True if the idle consumer got none of the waiting posts."""
    return counts["done by the idle consumer"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"a busy consumer held {counts['held by the busy consumer']} of 99 waiting posts; "
        f"an idle one did {counts['done by the idle consumer']} of them meanwhile"
    )
