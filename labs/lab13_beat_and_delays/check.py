"""Two schedulers, then one; and a post that is to wait while its worker is killed."""

import time

from experiments.evidence import Note
from experiments.processes import Group
from labs.trial import Trial

TICKS = 5  # of one schedule they take four seconds, of two they take two
ONE_SCHEDULE = 2.6  # seconds
GOES_ON = 10.0  # seconds until three more ticks have come: a lease may have to run out first
DELAY = 2  # seconds that the post is to wait
BEGUN = 0.8  # seconds after which a worker has the post, if it is to have it while it waits
LATE = 1.2  # seconds; who begins to wait anew is later by BEGUN and the time in which a worker starts


def check(trial: Trial) -> None:
    """Count the ticks of two schedulers, kill one, and delay a post while the other goes on."""
    worker = trial.worker()
    first = ticks_of_two(trial, worker.pid)
    trial.kill(first)
    killed = time.time()
    delayed_post(trial, worker)
    trial.until(
        lambda: len(written(trial, killed)) >= 3,
        "the schedule goes on when a scheduler dies",
        seconds=GOES_ON,
        mistake="The schedule ends with its scheduler",
        happened=lambda: (
            f"{len(written(trial, killed))} ticks in {time.time() - killed:.0f} s after the first scheduler was killed"
        ),
        look="what a dead scheduler leaves behind, and for how long",
    )


def ticks_of_two(trial: Trial, worker: int) -> Group:
    """Start a scheduler, and when it has ticked another one; count; return the first."""
    first = trial.scheduler()
    trial.until(
        lambda: written(trial), "the sheet is written", mistake="Nothing is due", look="the schedule, and who is first"
    )
    trial.scheduler()
    began = time.time()
    trial.until(
        lambda: len(written(trial, began)) >= TICKS,
        "the sheet is written while two schedulers run",
        mistake="Two schedulers keep each other from ticking",
        happened=lambda: f"{len(written(trial, began))} ticks in {time.time() - began:.0f} s",
        look="who may tick, and for how long",
    )
    ticks = written(trial, began)[:TICKS]
    took = ticks[-1].at - ticks[0].at
    trial.require(
        "two schedulers tick as often as one",
        took > ONE_SCHEDULE,
        mistake="Every scheduler ticks",
        happened=f"{TICKS} ticks within {took:.2f} s, with one due each second",
        look="how a scheduler learns that somebody else has sent this second's job",
    )
    trial.require(
        "the work is done by the worker",
        all(tick.pid == worker for tick in ticks),
        mistake="The scheduler does the work itself",
        happened=f"the sheet was written by process {ticks[0].pid}, the worker is process {worker}",
        look="what a scheduler does when a job is due",
    )
    return first


def delayed_post(trial: Trial, worker: Group) -> None:
    """Have a post wait, and kill the worker meanwhile."""
    trial.call("later", "Post 1", DELAY)
    (called,), (returned,) = trial.stage.notes("called"), trial.stage.notes("returned")
    trial.stage.until(lambda: time.time() > returned.at + BEGUN, "the post is waiting, wherever it does")
    trial.kill(worker)
    trial.stage.until(lambda: not trial.consumers(), "the broker knows that the worker is gone")
    trial.worker()
    due = max(returned.at + DELAY, time.time())
    trial.until(
        trial.stage.posts,
        "a post that waits is published although its worker was killed",
        seconds=3 * DELAY,
        mistake="What waits is lost with its worker",
        happened=f"no post, {3 * DELAY} s after another worker was there",
        look="where the post is while it waits, and when its message is acknowledged",
    )
    asked = trial.stage.notes("request")
    trial.require(
        f"it is published in {DELAY} s, not before",
        asked[0].at - called.at > DELAY - 0.2,
        mistake="It does not wait",
        happened=f"asked for {asked[0].at - called.at:.2f} s after it was sent",
        look="what later() does with the seconds",
    )
    trial.require(
        "the time that it has waited is not lost either",
        asked[0].at < due + LATE,
        mistake="After a crash it begins to wait anew",
        happened=f"asked for {asked[0].at - returned.at:.2f} s after it was sent, {asked[0].at - due:.2f} s late",
        look="who knows when the post is due: a worker that sleeps, or the message?",
    )
    began = time.time()
    trial.send("sync_sheet")
    trial.stage.until(lambda: written(trial, began), "what was sent before is done")
    trial.require(
        "it is published once",
        trial.stage.posts() == ["Post 1"],
        mistake="It is published twice",
        happened=f"published: {trial.stage.posts()}",
        look="what both workers have done with the message",
    )


def written(trial: Trial, since: float = 0) -> list[Note]:
    """The ticks that came since."""
    return [note for note in trial.stage.notes("wrote the sheet") if note.at > since]
