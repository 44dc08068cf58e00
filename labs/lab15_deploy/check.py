"""Two deployments: one meets a job that outlives the grace time, one meets a worker under load."""

import signal
from subprocess import TimeoutExpired

from experiments.processes import Group
from labs.trial import Trial, often

LONG = "Post 1"  # outlives the grace time
AT_WORK = "Post 2"  # is published when SIGTERM comes, and not yet acknowledged
WAITING = [f"Post {number}" for number in range(3, 7)]
BEHIND = ["Post 7", "Post 8"]  # when these are published, nothing that came back is left before them
GRACE = 2.0  # seconds from SIGTERM to SIGKILL
LEAVES = 8.0  # seconds within which a worker that has nothing more to do has to be gone
SOON = 6.0  # seconds for four posts that take a few hundredths each


def check(trial: Trial) -> None:
    """What becomes of the jobs, and when the processes end."""
    first = trial.worker()
    second = outlived(trial, first)
    under_load(trial, second)


def outlived(trial: Trial, worker: Group) -> Group:
    """SIGTERM, the grace time, SIGKILL; the next worker is returned."""
    stage = trial.stage
    trial.send("publish_post", text=LONG)
    at(trial, f"before {LONG}")
    tell_to_stop(trial, worker)
    try:
        worker.process.wait(GRACE)
    except TimeoutExpired:
        trial.kill(worker)
    stage.let_pass(f"before {LONG}")
    stage.let_pass(f"after {LONG}")
    following = trial.worker()
    trial.until(
        lambda: LONG in stage.posts(),
        "a job that outlives the grace time is done by the next worker",
        seconds=SOON,
        mistake="A job that outlives the grace time is lost",
        happened=lambda: (
            f"{LONG!r} was begun {often(stage.count('holds', where=f'before {LONG}'))}, published: "
            f"{stage.posts()}, waiting in the queue: {stage.waiting('posts')}"
        ),
        look="when the broker is told that it may forget a message",
    )
    return following


def under_load(trial: Trial, old: Group) -> None:
    """SIGTERM in the middle of a job while others wait; a new worker is started beside."""
    stage = trial.stage
    for text in (AT_WORK, *WAITING, *BEHIND):
        stage.let_pass(f"before {text}")
    for text in (*WAITING, *BEHIND):
        stage.let_pass(f"after {text}")
    for text in (AT_WORK, *WAITING):
        trial.send("publish_post", text=text)
    at(trial, f"after {AT_WORK}")
    tell_to_stop(trial, old)
    trial.until(
        lambda: not trial.consumers(),
        "after SIGTERM it takes no new job",
        seconds=SOON,
        mistake="It goes on taking jobs after SIGTERM",
        happened=lambda: f"{SOON:.0f} s after SIGTERM the broker still has {trial.consumers()} consumer",
        look="what SIGTERM does in your program",
    )
    trial.worker()
    trial.require(
        "it does not end while its job runs",
        old.is_alive(),
        mistake="It ends in the middle of a job",
        happened=f"{AT_WORK!r} was published, its receipt not written, and the process ended {old.process.returncode}; "
        f"the broker has nothing acknowledged and hands the message out again",
        look="what SIGTERM does in your program",
    )
    trial.until(
        lambda: set(WAITING) <= set(stage.posts()),
        "what waits in the queue is done by the new worker meanwhile",
        seconds=SOON,
        mistake="It sits on jobs that it has fetched ahead",
        happened=lambda: f"the old worker works at {AT_WORK!r} alone, a new one is there, published: {stage.posts()}",
        look="how many messages the broker hands a worker ahead of its answers",
    )
    stage.let_pass(f"after {AT_WORK}")
    trial.until(
        lambda: not old.is_alive(),
        "it ends when its job is done",
        seconds=LEAVES,
        mistake="It does not end when its job is done",
        happened=lambda: f"{LEAVES:.0f} s after its job's end the process still runs",
        look="what your program waits for",
    )
    for text in BEHIND:
        publish(trial, text)
    trial.require(
        "the job at work is acknowledged before the process ends",
        stage.posts().count(AT_WORK) == 1,
        mistake="It ends before its acknowledgement is sent",
        happened=f"the old worker finished {AT_WORK!r} and ended, the broker handed the message out again: it is in "
        f"the channel {often(stage.posts().count(AT_WORK))}",
        look="who sends the acknowledgement while the job ends: the connection has to be served until then",
    )
    once = [LONG, AT_WORK, *WAITING, *BEHIND]
    trial.require(
        "every post is published once",
        sorted(stage.posts()) == once,
        mistake="Posts are lost or doubled",
        happened=f"published: {sorted(stage.posts())}",
        look="what becomes of the messages that the old worker held",
    )


def publish(trial: Trial, text: str) -> None:
    """Send a post and see it published."""
    trial.send("publish_post", text=text)
    trial.until(
        lambda: text in trial.stage.posts(),
        f"{text} is published by the new worker",
        mistake="The new worker does nothing more",
        happened=lambda: f"published: {trial.stage.posts()}",
        look="what the worker waits for",
    )


def at(trial: Trial, where: str) -> None:
    """Wait until a job holds there."""
    trial.until(
        lambda: trial.stage.count("holds", where=where), f"a job is at work: {where}", mistake="The job never begins"
    )


def tell_to_stop(trial: Trial, worker: Group) -> None:
    """SIGTERM to its first process, as every supervisor and orchestrator does it."""
    trial.stage.note("SIGTERM", worker=worker.pid)
    worker.process.send_signal(signal.SIGTERM)
