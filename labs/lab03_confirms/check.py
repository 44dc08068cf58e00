"""Check of lab 3: compare the posts that `publish` returns with the posts in an empty, a full and a deleted queue."""

import json
from typing import Any

from labs.trial import QUEUE, Trial

ROOM = 3  # messages that fit into the small queue
GOOD = [f"Post {number}" for number in range(3)]
TOO_MANY = [f"Post {number}" for number in range(3, 8)]
LOST = [f"Post {number}" for number in range(8, 11)]
PERSISTENT = 2  # the delivery mode in which the broker writes a message to disk


def check(trial: Trial) -> None:
    """Publish three times, each time to a different queue of the same name."""
    stage = trial.stage
    make_queue(trial, {})
    accepted = trial.call("publish", GOOD)
    trial.until(
        lambda: stage.waiting(QUEUE) == len(GOOD),
        "the posts are in the queue",
        mistake="The posts do not arrive",
        happened=lambda: f"{stage.waiting(QUEUE)} messages are in the queue {QUEUE!r}",
        look="where publish() sends them",
    )
    modes = [mode for _, mode in taken(trial)]
    trial.require(
        "what is in the queue counts as accepted",
        accepted == GOOD,
        mistake="It does not count what the broker has taken",
        happened=f"{len(GOOD)} were taken, {len(accepted)} counted",
        look="what publish() returns",
    )

    make_queue(trial, {"x-max-length": ROOM, "x-overflow": "reject-publish"})
    accepted, inside = trial.call("publish", TOO_MANY), [text for text, _ in taken(trial)]
    trial.require(
        "what a full queue refuses does not count as accepted",
        set(accepted) <= set(inside),
        mistake="It counts as accepted what the broker refused",
        happened=f"{len(inside)} of {len(TOO_MANY)} are in the queue, {len(accepted)} counted as accepted",
        look="confirms: whether the broker is asked for them, and what its no becomes",
    )
    trial.require(
        "what the full queue took first counts as accepted",
        set(accepted) == set(inside),
        mistake="It does not count what the broker has taken",
        happened=f"{len(inside)} of {len(TOO_MANY)} are in the queue, {len(accepted)} counted as accepted",
        look="what your program does with the other posts after one refusal",
    )

    make_queue(trial, None)
    accepted = trial.call("publish", LOST)
    inside = [text for text, _ in taken(trial)] if stage.has_queue(QUEUE) else []
    trial.require(
        "what reaches no queue does not count as accepted",
        set(accepted) <= set(inside),
        mistake="It counts as accepted what reached no queue",
        happened=f"there was no queue, and {len(accepted)} of {len(LOST)} counted as accepted",
        look="mandatory",
    )
    trial.require(
        "what is accepted outlives a restart of the broker",
        set(modes) == {PERSISTENT},
        mistake="A restart of the broker would lose them",
        happened=f"delivery modes {modes}: 2 is persistent, all else is kept in memory only",
        look="the messages' properties",
    )


def make_queue(trial: Trial, arguments: dict[str, Any] | None) -> None:
    """Replace the queue by a new one with these arguments. With None, only delete it."""
    trial.stage.note("made the queue anew" if arguments is not None else "deleted the queue", arguments=arguments)
    with trial.stage.pika() as channel:
        channel.queue_delete(QUEUE)
        if arguments is not None:
            channel.queue_declare(QUEUE, durable=True, arguments=arguments)


def taken(trial: Trial) -> list[tuple[str, int | None]]:
    """Take all messages out of the queue, and return each one's text and delivery mode."""
    found: list[tuple[str, int | None]] = []
    with trial.stage.pika() as channel:
        while True:
            method, properties, body = channel.basic_get(QUEUE, auto_ack=True)
            if method is None or properties is None or body is None:
                return found
            found.append((text_of(json.loads(body)), properties.delivery_mode))


def text_of(body: Any) -> str:
    """Return the post's text from a message, Celery's ([args, kwargs, …]) or a hand-made one."""
    if isinstance(body, list):
        positional, named, *_ = body
        return str(positional[0] if positional else named["text"])
    return str(body["text"])
