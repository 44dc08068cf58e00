"""Four posts go to a worker that is busy with the first one for a long time. Then an idle worker comes to help."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Prefetch hoarding"
BROKERS = ("rabbitmq", "redis")
FIGURE = (3, "done by the idle worker")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"sent": 4, "held by the busy worker": 3, "done by the idle worker": 0, "done in the end": 4},
    "fixed": {"sent": 4, "held by the busy worker": 0, "done by the idle worker": 3, "done in the end": 4},
}
WINDOW = 1.0  # seconds in which a worker takes messages in advance; that takes a few hundredths
SENTINEL = 99  # sent last, and done by the idle worker: a message that it overtook is held by the busy one


def run(stage: Stage, module: str) -> Counts:
    """Send four posts, start a second worker, and count the posts that it did while the first was busy."""
    stage.celery(module)
    for post in (1, 2, 3, 4):
        stage.send("process_post", post)
    stage.until(lambda: stage.count("holds"), "the first worker is busy")
    began = time.monotonic()
    stage.until(
        lambda: not stage.waiting() or time.monotonic() - began > WINDOW, "it has taken all that it takes in advance"
    )
    held = 3 - stage.waiting()
    idle = stage.celery(module)
    last = stage.send("process_post", SENTINEL)
    stage.until(lambda: stage.count("succeeded", id=last), "the idle worker has done the last post")
    done = sum(note.pid == idle.pid for note in stage.notes("succeeded")) - 1
    stage.let_pass("the long post")
    stage.until(lambda: stage.count("succeeded") == 5, "all are done in the end")
    return {
        "sent": 4,
        "held by the busy worker": held,
        "done by the idle worker": done,
        "done in the end": stage.count("succeeded") - 1,
    }


def failed(counts: Counts) -> bool:
    """True if the idle worker got none of the waiting posts."""
    return counts["done by the idle worker"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"a busy worker held {counts['held by the busy worker']} of 3 waiting posts; "
        f"an idle one did {counts['done by the idle worker']} of them meanwhile"
    )
