"""Check of lab 15: one deployment meets a job that outlives the grace time, another meets a worker under load."""

import signal
from subprocess import TimeoutExpired

from experiments.processes import Group
from labs.trial import Trial, often

LONG = "Post 1"  # outlives the grace time
AT_WORK = "Post 2"  # is published when SIGTERM comes, and not yet acknowledged
WAITING = [f"Post {number}" for number in range(3, 7)]
BEHIND = ["Post 7", "Post 8"]  # sent last: when these are published, all messages that came back are done
GRACE = 2.0  # seconds from SIGTERM to SIGKILL
LEAVES = 8.0  # seconds within which a worker without a job must end
SOON = 6.0  # seconds for four posts that take a few hundredths each


def check(trial: Trial) -> None:
    """Check what happens to the jobs, and when the processes end."""
    first = trial.worker()
    second = outlived(trial, first)
    under_load(trial, second)


def outlived(trial: Trial, worker: Group) -> Group:
    """Send SIGTERM, wait for the grace time, send SIGKILL. Return the next worker."""
    stage = trial.stage
    trial.send("publish_post", text=LONG)
    at(trial, f"before {LONG}")
    trial.let_early_acknowledgement_pass(f"before {LONG}")
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
    """Send SIGTERM in the middle of a job while others wait, and start a new worker beside the old one."""
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
        happened=lambda: f"the old worker only does {AT_WORK!r}, a new one is there, published: {stage.posts()}",
        look="how many unacknowledged messages a worker may have",
    )
    stage.let_pass(f"after {AT_WORK}")
    trial.until(
        lambda: not old.is_alive(),
        "it ends when its job is done",
        seconds=LEAVES,
        mistake="It does not end when its job is done",
        happened=lambda: f"{LEAVES:.0f} s after its job's end the process still runs",
        look="the last thing that your program waits for",
    )
    for text in BEHIND:
        publish(trial, text)
    trial.require(
        "the job at work is acknowledged before the process ends",
        stage.posts().count(AT_WORK) == 1,
        mistake="It ends before its acknowledgement is sent",
        happened=f"the old worker finished {AT_WORK!r} and ended, and the broker handed the message out again; it "
        f"is in the channel {often(stage.posts().count(AT_WORK))}",
        look="the thread that serves the connection: it must go on until the acknowledgement is sent",
    )
    once = [LONG, AT_WORK, *WAITING, *BEHIND]
    trial.require(
        "every post is published once",
        sorted(stage.posts()) == once,
        mistake="Posts are lost or doubled",
        happened=f"published: {sorted(stage.posts())}",
        look="what happens to the messages that the old worker held",
    )


def publish(trial: Trial, text: str) -> None:
    """Send a post, and require that it is published."""
    trial.send("publish_post", text=text)
    trial.until(
        lambda: text in trial.stage.posts(),
        f"{text} is published by the new worker",
        mistake="The new worker does nothing more",
        happened=lambda: f"published: {trial.stage.posts()}",
        look="the line at which the worker waits",
    )


def at(trial: Trial, where: str) -> None:
    """Wait until a job holds at this place."""
    trial.until_held(where, f"a job is at work: {where}", mistake="The job never begins")


def tell_to_stop(trial: Trial, worker: Group) -> None:
    """Send SIGTERM to the worker's first process, as every supervisor and orchestrator does."""
    trial.stage.note("SIGTERM", worker=worker.pid)
    worker.process.send_signal(signal.SIGTERM)
