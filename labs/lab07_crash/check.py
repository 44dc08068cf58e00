"""Check of lab 7: first kill a whole worker at its post, then only the child that works on a post."""

import os
import signal
from functools import partial

from labs.lab07_crash.picture import desk
from labs.trial import Trial, often

POSTS = ["Post 1", "Post 2", "Post 3", "Post 4"]
SECONDS = 12.0  # for a step that takes one or two seconds


def check(trial: Trial) -> None:
    """Kill a worker at Post 1, then a child at Post 2. Each post must be published once."""
    trial.watch_the_broker()
    of_the_worker(trial)
    of_the_child(trial)
    trial.until(
        lambda: sorted(trial.stage.posts()) == POSTS,
        "every post is published once in the end",
        seconds=SECONDS,
        mistake="A post is lost or published twice",
        happened=lambda: f"published: {sorted(trial.stage.posts())}",
        look="the number of answers to the broker for each message",
    )


def of_the_worker(trial: Trial) -> None:
    """Send SIGKILL to the worker and all its children while they work on Post 1."""
    stage = trial.stage
    worker = trial.worker(pool="prefork")
    first = trial.send("publish_post", text="Post 1")
    trial.until(
        lambda: held(trial, "Post 1"), "the post is worked on", mistake="Nothing is worked on",
        happened="no worker rendered the picture of Post 1", look="what publish_post does",
    )  # fmt: skip
    trial.let_early_acknowledgement_pass(desk("Post 1"))
    trial.kill(worker)
    trial.worker(pool="prefork")
    second = trial.send("publish_post", text="Post 2")  # a returned Post 1 is before it in the queue
    trial.until(
        lambda: trial.deliveries(second) or len(trial.deliveries(first)) == 2,
        "another worker goes on",
        seconds=SECONDS,
        mistake="The next worker does nothing",
        happened="neither Post 1 nor Post 2 was handed out to it",
        look="what the program does when it starts",
    )
    trial.require(
        "the killed worker's post is handed out again",
        len(trial.deliveries(first)) == 2,
        mistake="It acknowledges before the work is done",
        happened=f"the broker handed Post 1 out {often(len(trial.deliveries(first)))}, and Post 2 after it",
        look="when the broker is told that it may forget the message",
    )
    trial.until(
        lambda: held(trial, "Post 1") == 2 or held(trial, "Post 2"),
        "the next worker works on something",
        seconds=SECONDS,
        mistake="The next worker does nothing",
        happened="it rendered no picture",
        look="what publish_post does with a message that comes again",
    )
    trial.require(
        "and is worked on again",
        held(trial, "Post 1") == 2,
        mistake="It takes a second delivery for proof that the work is done",
        happened="Post 1 was handed out twice, and worked on once; then came Post 2",
        look="the meaning of `redelivered`: a worker had the message before, and nothing more",
    )
    stage.let_pass(desk("Post 1"))
    trial.until(
        lambda: held(trial, "Post 2"),
        "then comes the next post",
        seconds=SECONDS,
        mistake="It never acknowledges what is done",
        happened=lambda: f"published: {stage.posts()}; Post 2 is not begun",
        look="whether the broker is told when the work is done",
    )


def of_the_child(trial: Trial) -> None:
    """Send SIGKILL only to the process that works on Post 2."""
    stage, worker = trial.stage, trial.stage.groups[-1]
    (holding,) = stage.notes("holds", where=desk("Post 2"))
    stage.note("SIGKILL", child=holding.pid)
    os.kill(holding.pid, signal.SIGKILL)
    if holding.pid == worker.pid:  # this program works without children
        worker.process.wait()
        trial.worker(pool="prefork")
    for text in POSTS[2:]:  # a returned Post 2 is in the queue before Post 4, which is sent after Post 3
        stage.let_pass(desk(text))
        trial.send("publish_post", text=text)
        trial.until(
            partial(goes_on, trial, text), "the worker goes on without the child", seconds=SECONDS,
            mistake="A killed child ends the worker's work", happened=f"{text} is not published",
            look="what the worker does when its child is gone",
        )  # fmt: skip
    trial.require(
        "the killed child's post is worked on again",
        held(trial, "Post 2") == 2,
        mistake="A killed child's job counts as done",
        happened=f"Post 2 was worked on {often(held(trial, 'Post 2'))}; Post 3 and Post 4 are published",
        look="what the broker is told when the child that had the job was killed",
    )
    stage.let_pass(desk("Post 2"))


def held(trial: Trial, text: str) -> int:
    """Return the number of times that a worker began to render a post."""
    return trial.stage.count("holds", where=desk(text))


def goes_on(trial: Trial, text: str) -> bool:
    """Return whether this post is published, or the worker is at Post 2 again, which may be before it in the queue."""
    return text in trial.stage.posts() or held(trial, "Post 2") == 2
