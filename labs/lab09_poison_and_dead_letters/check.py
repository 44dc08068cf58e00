"""Check of lab 9: an accident, a poison message, a failing job and an unreadable body, among good messages."""

import os
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any

import pika

from labs.lab09_poison_and_dead_letters.classifier import DESK, NONSENSE, POISON, UNLUCKY
from labs.trial import QUEUE, Trial, often

DEAD = "posts.dead"
MOST = 3  # deliveries that a message may have
NEIGHBOURS = [f"Post {number}" for number in range(1, 11)]
UNREADABLE = b'{"text": "Post 11'  # cut off, as if its publisher died in the middle
SECONDS = 10.0  # for a step that takes one to three seconds
QUIET = 6.0  # seconds without an event; the start of a worker is an event
MOST_SECONDS = 60.0


class Supervised:
    """A worker and its supervisor, which starts it again each time it ends."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.worker = trial, trial.worker(pool="prefork")

    def until(self, condition: Callable[[], Any]) -> bool:
        """Wait until the condition is true or all activity has stopped. Return whether it is true."""

        stage, seen, since = self.trial.stage, 0, time.monotonic()

        def over() -> Any:
            nonlocal seen, since
            self.worker = self.trial.supervise(self.worker)
            if (now := len(stage.notes())) != seen:
                seen, since = now, time.monotonic()
            return condition() or time.monotonic() - since > QUIET

        stage.until(over, "it comes true, or nothing happens any more", MOST_SECONDS)
        return bool(condition())


def check(trial: Trial) -> None:
    """Send a good message, cause an accident, then send one bad message after the other among good ones."""
    trial.watch_the_broker()
    worker = Supervised(trial)
    good(trial)
    accident(trial, worker)
    poison(trial, worker)
    failure(trial, worker)
    unreadable(trial, worker)
    wanted = sorted(map(published, [UNLUCKY, *NEIGHBOURS]))
    worker.until(lambda: sorted(trial.stage.posts()) == wanted)
    trial.require(
        "their neighbours are done, once each",
        sorted(trial.stage.posts()) == wanted,
        mistake="Neighbours of a bad message are lost or done twice",
        happened=f"published: {sorted(trial.stage.posts())}; {dead(trial)} messages are in {DEAD!r}",
        look="the messages that the worker holds when it dies, and the answers to them",
    )


def good(trial: Trial) -> None:
    """Send an ordinary post, and require that it is done."""
    trial.send("classify_post", text=NEIGHBOURS[0])
    trial.until(
        lambda: trial.stage.posts() == [published(NEIGHBOURS[0])], "a good post is done", seconds=SECONDS,
        mistake="Not even a good post is done", happened=lambda: f"published: {trial.stage.posts()}",
        look="what classify_post does",
    )  # fmt: skip


def accident(trial: Trial, worker: Supervised) -> None:
    """Send SIGKILL once to the process that works on an innocent post."""
    stage = trial.stage
    trial.send("classify_post", text=UNLUCKY)
    trial.until_held(
        None, "a post is worked on", mistake="Nothing is worked on",
        happened=f"no worker classified {UNLUCKY}", look="what classify_post does",
    )  # fmt: skip
    (holding,) = stage.notes("holds")
    stage.note("SIGKILL", worker=holding.pid)
    os.kill(holding.pid, signal.SIGKILL)
    stage.let_pass(DESK)
    worker.until(lambda: published(UNLUCKY) in stage.posts() or dead(trial))
    trial.require(
        "a post whose process dies once is done by the next one",
        published(UNLUCKY) in stage.posts(),
        mistake="One accident, and it gives up",
        happened=f"{UNLUCKY} is not published; {dead(trial)} messages are in {DEAD!r}",
        look="the fate of a message after its process is killed for the first time",
    )


def poison(trial: Trial, worker: Supervised) -> None:
    """Send a text that kills each process, with good posts before it and behind it."""
    for text in NEIGHBOURS[1:5]:
        trial.send("classify_post", text=text)
    bad = trial.send("classify_post", text=POISON)
    for text in NEIGHBOURS[5:]:
        trial.send("classify_post", text=text)
    worker.until(lambda: dead(trial) == 1 or len(trial.deliveries(bad)) > MOST)
    trial.require(
        f"a message that kills its process is handed out {MOST} times at most",
        len(trial.deliveries(bad)) <= MOST,
        mistake="A poison message comes back again and again",
        happened=f"handed out {often(len(trial.deliveries(bad)))}, and each time a process died",
        look="who counts the deliveries: nobody who dies of them",
    )
    trial.require(
        f"then it is in {DEAD!r}",
        dead(trial) == 1,
        mistake="It throws a poison message away",
        happened=f"handed out {often(len(trial.deliveries(bad)))}; {dead(trial)} messages are in {DEAD!r}",
        look="the place for the queue's dead letters, and whether that queue exists",
    )


def failure(trial: Trial, worker: Supervised) -> None:
    """Send a text that raises an error each time."""
    bad = trial.send("classify_post", text=NONSENSE)
    worker.until(lambda: dead(trial) == 2 or len(trial.deliveries(bad)) > MOST)
    seen = f"handed out {often(len(trial.deliveries(bad)))}; {dead(trial)} messages are in {DEAD!r}, 2 are due"
    trial.require(
        f"what fails is in {DEAD!r} after {MOST} deliveries at most",
        len(trial.deliveries(bad)) <= MOST and dead(trial) == 2,
        mistake="It comes back for ever" if len(trial.deliveries(bad)) > MOST else "It throws away what failed",
        happened=seen,
        look="the answer to a message whose job raised an error",
    )


def unreadable(trial: Trial, worker: Supervised) -> None:
    """Send a body that is no JSON."""
    bad = str(uuid.uuid4())
    properties = pika.BasicProperties(
        message_id=bad, correlation_id=bad, type="classify_post", content_type="application/json",
        content_encoding="utf-8", delivery_mode=2, headers={"lang": "py", "task": "classify_post", "id": bad},
    )  # fmt: skip
    trial.stage.note("sent", id=bad, body=UNREADABLE.decode())
    with trial.stage.pika() as channel:
        channel.basic_publish("", QUEUE, UNREADABLE, properties, mandatory=True)
    worker.until(lambda: dead(trial) == 3 or len(trial.deliveries(bad)) > MOST)
    seen = f"handed out {often(len(trial.deliveries(bad)))}; {dead(trial)} messages are in {DEAD!r}, 3 are due"
    trial.require(
        f"what cannot be read is in {DEAD!r} after {MOST} deliveries at most",
        len(trial.deliveries(bad)) <= MOST and dead(trial) == 3,
        mistake="It comes back for ever" if len(trial.deliveries(bad)) > MOST else "It throws away what it cannot read",
        happened=seen,
        look="the line that decodes the body, and the answer to the message if that fails",
    )


def dead(trial: Trial) -> int:
    """Return the number of dead letters, by the broker's count."""
    return trial.stage.waiting(DEAD)


def published(text: str) -> str:
    """Return the text that the channel gets for a post."""
    return f"{text}: for sale"
