"""Lab 11, Timeouts. The messenger takes a request and never answers, or answers one byte at a time."""

import multiprocessing
import os

from experiments.messenger import Passing, Refused, post
from labs.consuming import Delivery, consume
from labs.lab11_timeouts.book import record

LIMIT = 2.0  # seconds
PUBLISHED, REFUSED, NO_ANSWER = 0, 3, 4  # a child's exit codes
OUTCOMES: dict[int | None, str] = {PUBLISHED: "done", REFUSED: "failed"}  # by exit code; any other code says nothing
children = multiprocessing.get_context("fork")


def publish_post(delivery: Delivery) -> None:
    """Let a child publish a post within LIMIT, and record the outcome."""
    text = delivery.arguments["text"]
    child = children.Process(target=attempt, args=(text,))
    child.start()
    child.join(LIMIT)
    if child.is_alive():
        child.kill()
        child.join()
    outcome = OUTCOMES.get(child.exitcode, "unknown")
    record(text, outcome)
    delivery.ack()


def attempt(text: str) -> None:
    """Publish a post in the channel, and end. This is all that a child does."""
    try:
        post(text, timeout=1)
        code = PUBLISHED
    except Refused:
        code = REFUSED
    except Passing:
        code = NO_ANSWER
    os._exit(code)  # at once: the child must not close what the parent has open


consume("posts", publish_post)
