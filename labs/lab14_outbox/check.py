"""Check of lab 14: kills before and after two commits. One commit accepts a post, the other marks it as sent."""

import sqlite3
from contextlib import closing
from pathlib import Path

from experiments.processes import Group
from labs.lab14_outbox.book import create
from labs.requirements import last_error
from labs.trial import Trial, often

SOON = 5.0  # seconds for a message to get from the broker to an idle worker
NOBODY = "a post that there never was"


def check(trial: Trial) -> None:
    """Accept three posts: one with a kill before its commit, one with a kill after it, one without a kill."""
    stage = trial.stage
    create(Path(stage.environment["DATABASE"]))
    trial.worker()
    kill_in_accept(trial, "Post 1", "accept is about to commit")
    kill_in_accept(trial, "Post 2", "accept has committed")

    relay = trial.begin_call("relay")
    if comes_to(trial, relay, "relay is about to commit"):
        trial.kill(relay)
    stage.let_pass("relay is about to commit")
    relay = trial.begin_call("relay")
    if comes_to(trial, relay, "relay has committed"):
        trial.until(
            lambda: asked(trial, "Post 2"),
            "what is marked as sent has reached the broker",
            seconds=SOON,
            mistake="It marks as sent what the broker does not have",
            happened="Post 2 is marked as sent, and the check is about to kill the relay; no worker got the post",
            look="the order in relay(): does it send first, or mark first?",
        )
        trial.kill(relay)
    stage.let_pass("relay has committed")

    trial.call("relay")
    published(trial, ["Post 2"])
    trial.require(
        "nothing is sent that was not accepted",
        not stage.count("no such post"),
        mistake="It sends what is not committed",
        happened="a worker got a post that is not in the database: the process that accepted it was killed before "
        "its commit",
        look="the lines inside the transaction of accept()",
    )
    trial.call("accept", "Post 3")
    trial.call("relay")
    published(trial, ["Post 2", "Post 3"])
    trial.call("relay")
    trial.send("publish_post", post_id=NOBODY)
    stage.until(lambda: stage.count("no such post", post=NOBODY), "the worker has done all earlier messages")
    trial.require(
        "what is marked is not sent again",
        asked(trial, "Post 3") == 1,
        mistake="It sends again what was sent",
        happened=f"a worker got Post 3 {often(asked(trial, 'Post 3'))}, though nobody was killed",
        look="whether relay() marks what it has sent",
    )


def kill_in_accept(trial: Trial, text: str, where: str) -> None:
    """Accept a post in a new process, kill the process when it comes to `where`, and let later processes pass."""
    process = trial.begin_call("accept", text)
    came = comes_to(trial, process, where)
    trial.require(
        "accept() stores a post in a transaction",
        came,
        mistake="The post is not stored in a transaction",
        happened=last_error(process.output(), trial.program)[0] or "accept() returned without one",
        look='with writing("accept") as database',
    )
    trial.kill(process)
    trial.stage.let_pass(where)


def comes_to(trial: Trial, process: Group, where: str) -> bool:
    """Wait until a process holds at `where` or ends. Return whether it holds."""

    def holds() -> bool:
        return any(note.pid == process.pid for note in trial.stage.notes("holds", where=where))

    trial.until(
        lambda: holds() or not process.is_alive(),
        f"{where}, or has ended",
        mistake="It takes for ever",
        look="the line at which the program waits",
    )
    return holds()


def published(trial: Trial, texts: list[str]) -> None:
    """Require that these posts, and no others, are in the channel in the end."""
    trial.until(
        lambda: sorted(trial.stage.posts()) == texts,
        f"{' and '.join(texts)}, accepted, {'is' if len(texts) == 1 else 'are'} published",
        seconds=SOON,
        mistake="A post is accepted and never sent",
        happened=lambda: f"published: {trial.stage.posts()}; in the database: {[*rows(trial).values()]}",
        look="who sends a post if accept() was killed right after its commit",
    )


def asked(trial: Trial, text: str) -> int:
    """Return how often a worker got this post."""
    return sum(rows(trial).get(note.facts["post"]) == text for note in trial.stage.notes("asked"))


def rows(trial: Trial) -> dict[str, str]:
    """Return the posts in the database: text by id."""
    with closing(sqlite3.connect(trial.stage.environment["DATABASE"])) as database:
        return dict(database.execute("SELECT id, text FROM posts").fetchall())
