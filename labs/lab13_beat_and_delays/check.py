"""Check of lab 13: two schedulers run, and one is killed. A post waits, and its worker is killed."""

import time

from experiments.evidence import Note
from experiments.processes import Group
from labs.trial import Trial

TICKS = 5  # one schedule needs four seconds for them, two schedules need two
ONE_SCHEDULE = 2.6  # seconds; faster ticks come from two schedules
GOES_ON = 10.0  # seconds for three more ticks: a lease may have to run out first
DELAY = 2  # seconds for which the post must wait
BEGUN = 0.8  # seconds after which a worker has the post, if posts wait in a worker
LATE = 1.2  # seconds; a wait that begins anew is later, by BEGUN and a worker's start


def check(trial: Trial) -> None:
    """Count the ticks of two schedulers, kill one, and delay a post while the other scheduler goes on."""
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
        look="the key that a dead scheduler leaves behind, and its expiry",
    )


def ticks_of_two(trial: Trial, worker: int) -> Group:
    """Start a scheduler, and another one after its first tick. Count the ticks. Return the first scheduler."""
    first = trial.scheduler()
    trial.until(
        lambda: written(trial), "the sheet is written", mistake="Nothing is due",
        look="the schedule, and the condition for a tick",
    )  # fmt: skip
    trial.scheduler()
    began = time.time()
    trial.until(
        lambda: len(written(trial, began)) >= TICKS,
        "the sheet is written while two schedulers run",
        mistake="Two schedulers keep each other from ticking",
        happened=lambda: f"{len(written(trial, began))} ticks in {time.time() - began:.0f} s",
        look="which scheduler may tick, and for how long",
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
    """Submit a post that must wait, and kill the worker meanwhile."""
    trial.call("later", "Post 1", DELAY)
    (called,), (returned,) = trial.stage.notes("called"), trial.stage.notes("returned")
    trial.stage.until(lambda: time.time() > returned.at + BEGUN, "the post is waiting, in a worker or elsewhere")
    trial.kill(worker)
    trial.stage.until(lambda: not trial.consumers(), "the broker knows that the worker is gone")
    trial.worker()
    due = max(returned.at + DELAY, time.time())
    trial.until(
        trial.stage.posts,
        "a post that waits is published although its worker was killed",
        seconds=3 * DELAY,
        mistake="What waits is lost with its worker",
        happened=f"no post, {3 * DELAY} s after the start of another worker",
        look="the place where the post waits, and the moment when its message is acknowledged",
    )
    asked = trial.stage.notes("request")
    trial.require(
        f"it is published in {DELAY} s, not before",
        asked[0].at - called.at > DELAY - 0.2,
        mistake="It does not wait",
        happened=f"it reached the messenger {asked[0].at - called.at:.2f} s after it was sent",
        look="what later() does with the seconds",
    )
    trial.require(
        "the time that it has waited is not lost either",
        asked[0].at < due + LATE,
        mistake="After a crash it begins to wait anew",
        happened=f"it reached the messenger {asked[0].at - returned.at:.2f} s after it was sent, "
        f"{asked[0].at - due:.2f} s late",
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
    """Return the ticks after that time."""
    return [note for note in trial.stage.notes("wrote the sheet") if note.at > since]
