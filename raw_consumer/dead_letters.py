"""The dead letters: messages that failed for good, outlived their queue's TTL or could not be read. For a person to
look at.

A run that has ended stays as it is, so a dead letter is not simply sent again: replaying accepts a new run of the
same job with the same arguments, whose parent is the old one. Letters are taken off the queue only after that is
durable.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pika
from pika.spec import BasicProperties

from cars_bot import database, ledger, runs
from cars_bot.catalogue import job_named
from cars_bot.errors import InvalidArguments
from raw_consumer import envelope, topology
from raw_consumer.connection import parameters


@dataclass(frozen=True)
class DeadLetter:
    """One message among the dead letters."""

    run_id: str | None
    job: str | None
    queue: str
    reason: str
    retries: int
    properties: BasicProperties
    body: bytes


# feature: dead letters with replay
def letters(rmq_url: str) -> list[DeadLetter]:
    """Read the letters, oldest first; they stay where they are."""
    return _go_through(rmq_url, lambda letter: False)[0]


def discard(rmq_url: str, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
    """Throw away the letters that are `wanted`; return them."""
    return _go_through(rmq_url, wanted)[1]


def replay(rmq_url: str, wanted: Callable[[DeadLetter], bool]) -> list[str]:
    """Accept a new run for each letter that is `wanted` and makes a run; return the ids of the new runs."""
    accepted: list[str] = []

    def again(letter: DeadLetter) -> bool:
        try:
            if not wanted(letter):
                return False
            old = envelope.delivery(letter.properties, letter.body, redelivered=False)
            with database.writing() as connection:
                accepted.append(runs.accept(connection, job_named(old.job), "raw", old.args, parent=old.run_id))
        except (envelope.UndecodableMessage, InvalidArguments):
            return False  # it never was a run, and never will be
        ledger.record("accepted", accepted[-1], "raw", detail=f"replayed from {old.run_id}")
        return True

    _go_through(rmq_url, again)
    return accepted


def _go_through(rmq_url: str, take: Callable[[DeadLetter], bool]) -> tuple[list[DeadLetter], list[DeadLetter]]:
    """Show every letter to `take`; acknowledge those for which it is true. Returns all letters, and those taken."""
    seen, taken = [], []
    connection = pika.BlockingConnection(parameters(rmq_url, "dead letters"))
    try:
        channel = connection.channel()
        topology.declare(channel)
        waiting = channel.queue_declare(topology.DEAD, passive=True).method.message_count
        for _ in range(waiting):
            method, properties, body = channel.basic_get(topology.DEAD)
            if method is None:
                break
            letter = _letter(method.routing_key, properties, body)
            seen.append(letter)
            if take(letter):
                channel.basic_ack(method.delivery_tag)
                taken.append(letter)
    finally:
        connection.close()  # what was not acknowledged is back in the queue, where it was
    return seen, taken


def _letter(routing_key: str, properties: BasicProperties, body: bytes) -> DeadLetter:
    headers = properties.headers or {}
    reason = headers.get("reason") or headers.get("x-first-death-reason") or "unknown"
    return DeadLetter(
        properties.message_id, properties.type, topology.destination(routing_key), str(reason),
        int(headers.get("retries", 0)), properties, body,
    )  # fmt: skip


# end
