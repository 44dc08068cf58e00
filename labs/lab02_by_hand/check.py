"""Check of lab 2: a job that outlasts the heartbeat timeout, a killed worker, and a worker that hangs."""

import os
import signal
import time
from typing import Any

from experiments.processes import Group
from labs.requirements import last_error
from labs.trial import QUEUE, Trial, often

LONG = 8.0  # seconds that a job takes; with a heartbeat of 2 s the broker accepts 4 to 6 s of silence
FIRST, SECOND = "Post 1", "Post 2"


def check(trial: Trial) -> None:
    """Start three workers. Kill one at its work, freeze another; the third takes over with a long job."""
    stage = trial.stage
    trial.watch_the_broker()
    for _ in range(3):
        trial.worker(pool="prefork")  # on Celery; the program may set another pool
    first = trial.send("publish_post", text=FIRST)
    killed = begun(trial, FIRST, "a worker begins with a post")
    second = trial.send("publish_post", text=SECOND)
    frozen = begun(trial, SECOND, "another one begins with the next post")
    trial.require("a worker takes one job at a time", frozen is not killed, **more_than_one(trial, second))
    trial.kill(killed)
    trial.until(
        lambda: len(trial.deliveries(first)) > 1,
        "the post of a killed worker is handed out again at once",
        seconds=8.0,
        mistake="It acknowledges before the work is done",
        happened=lambda: f"the worker was killed in the middle of the job; {stage.waiting(QUEUE)} wait in the queue",
        look="when the message is acknowledged",
    )
    trial.until(
        lambda: stage.count("holds", where=FIRST) == 2,
        "a worker that has nothing to do begins with it",
        seconds=8.0,
        **more_than_one(trial, first),
    )
    began, busy = stage.notes("holds", where=FIRST)[1].at, worker_with(trial, FIRST)
    trial.require("a worker still takes one job at a time", busy is not frozen, **more_than_one(trial, first))
    freeze(trial, frozen)
    trial.until(
        lambda: stage.waiting(QUEUE) or len(trial.deliveries(second)) > 1,
        "the post of a worker that hangs comes back to the queue",
        seconds=14.0,
        mistake="A worker that hangs keeps its message",
        happened=f"the worker was stopped with SIGSTOP, and 14 s later {SECOND!r} was still its own: to the broker its "
        "connection is alive",
        look="the heartbeat",
    )
    stage.until(lambda: time.time() - began > LONG, "the long job has taken its time")
    stage.let_pass(FIRST)
    stage.let_pass(SECOND)
    trial.until(
        lambda: SECOND in stage.posts() or len(trial.deliveries(first)) > 2 or not busy.is_alive(),
        "the long job comes to its end",
        mistake="The long job does not come to its end",
        happened=lambda: f"published: {stage.posts()}",
        look="the line that acknowledges the message, and the thread that runs it",
    )
    trial.require(
        "a worker keeps its connection while it works",
        busy.is_alive() and len(trial.deliveries(first)) == 2,
        mistake="It loses its connection while it works",
        happened=how_it_went(trial, busy, first),
        look="who sends heartbeats while a job runs",
    )
    trial.until(
        lambda: sorted(stage.posts()) == [FIRST, SECOND],
        "each post is published once",
        mistake="Posts are lost or doubled",
        happened=lambda: f"published: {stage.posts()}",
        look="when the message is acknowledged, and how often the job is started",
    )


def begun(trial: Trial, text: str, claim: str) -> Group:
    """Require that a worker begins this post's job, and return the worker. The job is held there."""
    trial.until_held(
        text,
        claim,
        mistake="The job is not begun",
        happened=lambda: f"{trial.stage.waiting(QUEUE)} messages wait in the queue {QUEUE!r}",
        look="what is done with a message that arrives",
    )
    return worker_with(trial, text)


def worker_with(trial: Trial, text: str) -> Group:
    """Return the worker that began this post last. It, or a child of it, is held there."""
    pid = trial.stage.notes("holds", where=text)[-1].pid
    return next(group for group in trial.stage.groups if group.pid == os.getpgid(pid))


def more_than_one(trial: Trial, message_id: str) -> dict[str, Any]:
    """Return the texts about a worker that takes a second message while another worker has none."""
    return {
        "mistake": "A worker takes more than one job",
        "happened": f"a message was handed out {often(len(trial.deliveries(message_id)))} and went to a worker "
        "that had a job already, while another had none",
        "look": "prefetch, and the number of threads",
    }


def freeze(trial: Trial, worker: Group) -> None:
    """SIGSTOP a worker and its children. They exist and do nothing, like a machine that lost its network."""
    trial.stage.note("SIGSTOP", worker=worker.pid)
    os.killpg(worker.pid, signal.SIGSTOP)


def how_it_went(trial: Trial, busy: Group, first: str) -> str:
    """Describe the end of the worker with the long job, in a sentence."""
    times = len(trial.deliveries(first)) - 1  # without the delivery to the killed worker
    ended = f"; then the worker ended: {last_error(busy.output(), trial.program)[0]}" if not busy.is_alive() else ""
    waiting = trial.stage.waiting(QUEUE)
    return f"the job took {LONG:.0f} s; its message was handed out {often(times)}, {waiting} wait{ended}"
