"""Check of lab 12: two workers get six posts at once. Later they get ten more, and another job behind them."""

import time
from collections import Counter

from experiments.evidence import Note
from labs.trial import Trial

POSTS, SECONDS = 5, 2.0  # the messenger's limit
COUNTED = 1.5  # seconds in which requests are counted; less than 2, because some requests travel longer than others
LONG_ENOUGH = 12.0  # seconds; sixteen posts take six seconds
FIRST = [f"Post {number:02}" for number in range(6)]
BURST = [f"Post {number:02}" for number in range(6, 16)]
STILL_WAITING = 4  # of the ten posts, at least, when the other job is done: by then at most five of them are sent


def check(trial: Trial) -> None:
    """Check when both workers together send the posts, and what waits behind the posts."""
    stage = trial.stage
    trial.worker()
    trial.worker()
    stage.until(lambda: time.time() % SECONDS < 0.2, "a window begins, if somebody counts in windows")
    for text in FIRST:
        trial.send("publish_post", text=text)
    trial.until(
        lambda: stage.count("request") == len(FIRST),
        "six posts are all made in the end",
        seconds=LONG_ENOUGH,
        mistake="A post that has to wait is lost",
        happened=lambda: f"{stage.count('request')} of {len(FIRST)} reached the messenger",
        look="the branch for a post that must wait",
    )
    keeps_to_the_limit(
        trial,
        "two workers together keep to 5 posts in 2 seconds",
        mistake="Nobody counts for both workers",
        look="where the count is kept, and who sees it there",
    )
    stage.until(lambda: 1.4 < time.time() % SECONDS < 1.7, "a window is nearly over, if somebody counts in windows")
    for text in BURST:
        trial.send("publish_post", text=text)
    trial.send("sync_sheet")
    sheet = trial.until(
        lambda: stage.notes("wrote the sheet"),
        "another job behind the posts has its turn",
        mistake="A job behind the posts never has its turn",
        look="what happens to the job sync_sheet",
    )[0]
    everything = sorted(FIRST + BURST)
    trial.until(
        lambda: sorted(stage.posts()) == everything,
        "every post is published once in the end",
        seconds=LONG_ENOUGH,
        mistake="A post that has to wait is lost",
        happened=lambda: f"{len(stage.posts())} of {len(everything)} are published",
        look="the branch for a post that must wait, and the number of times that it may try again",
    )
    keeps_to_the_limit(
        trial,
        "there are 5 posts in any 2 seconds, wherever one begins to count",
        mistake="Where two windows meet, twice as many pass",
        look="the moment when a taken place is free again: each by itself, or all at once?",
    )
    waiting = sum(note.at > sheet.at for note in stage.notes("request"))
    trial.require(
        "a job without a limit does not wait for those that have one",
        waiting >= STILL_WAITING,
        mistake="Who waits for the limit holds the others up",
        happened=f"when the other job was done, only {waiting} posts still waited",
        look="the place where a post waits: in a worker, or somewhere else?",
    )


def keeps_to_the_limit(trial: Trial, claim: str, *, mistake: str, look: str) -> None:
    """Require that all requests so far keep to the limit."""
    close = busiest(trial.stage.notes("request"))
    trial.require(claim, len(close) <= POSTS, mistake=mistake, happened=in_words(close), look=look)


def busiest(requests: list[Note]) -> list[Note]:
    """Return the largest group of requests within COUNTED seconds."""
    requests = sorted(requests, key=lambda note: note.at)
    return max(([each for each in requests if 0 <= each.at - first.at < COUNTED] for first in requests), key=len)


def in_words(requests: list[Note]) -> str:
    """Describe requests: their number, their time span and their processes."""
    by = Counter(note.pid for note in requests)
    who = ", ".join(f"{count} by process {pid}" for pid, count in by.items())
    return f"{len(requests)} posts within {requests[-1].at - requests[0].at:.2f} s: {who}"
