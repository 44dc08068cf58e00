"""The dead letters' queues, `celery.dead` and `raw.dead`: going through them, and what a person does with a letter.

A run that has ended stays as it is, so a letter is not simply sent again: replaying accepts a new run of the same job
with the same arguments, whose parent is the old one, and what is left of a workflow comes after it. The letter is taken
off the queue only after that is durable. Whoever dies in between leaves the letter where it was; replaying it again
finds the new run and makes no other.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions
from sqlalchemy import select

from api.dead_letters.letters import Letter, Unreadable, read
from api.errors import Refused
from cars_bot import database, ledger, runs, workflow
from cars_bot.catalogue import job_named
from cars_bot.database.models import idempotency_keys
from cars_bot.errors import InvalidArguments, UnknownJob
from cars_bot.processes import clock
from cars_bot.processes.crash import crash_point
from cars_bot.settings import settings
from raw_consumer import mended_pika as mended_pika  # a letter with an unreadable header shall not hide all the others
from raw_consumer.parameters import parameters

QUEUES = {"celery": "celery.dead", "raw": "raw.dead"}
SECONDS_FOR_THE_BROKER = 5
NONE_ON_REDIS = (
    "Celery's broker is Redis here, which keeps no dead letters; "
    "a FAILED run is run again with POST /api/runs/{id}/retry"
)
_one_at_a_time = {lane: threading.Lock() for lane in QUEUES}  # whoever goes through a queue holds all of its messages


# feature: dead letters with replay
def go_through(lane: str, take: Callable[[Letter], bool], stop: Callable[[], bool] = lambda: False) -> int:
    """Show the letters of `lane` to `take`, oldest first, until `stop()`; those for which it is true are removed.

    The others are back where they were, in the same order, when this returns; meanwhile nobody else sees them.

    Returns:
        how many letters there were.

    Raises:
        Refused: the lane has no dead letters, the broker does not answer, or somebody else is at it for long.
    """
    with _queue(lane) as (channel, queue):
        try:
            waiting = int(channel.queue_declare(queue, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return 0  # no worker has been there yet to declare it
        for _ in range(waiting):
            if stop():
                break
            method, properties, body = channel.basic_get(queue)
            if method is None:
                break
            if take(read(lane, method.routing_key, properties, body)):
                channel.basic_ack(method.delivery_tag)
        return waiting


@contextmanager
def _queue(lane: str) -> Iterator[tuple[Any, str]]:
    """A channel on a connection of its own, and the queue's name; what was not acknowledged goes back at the end."""
    if lane == "celery" and settings().celery_over_redis:
        raise Refused(409, "no_dead_letters", NONE_ON_REDIS)
    if not _one_at_a_time[lane].acquire(timeout=SECONDS_FOR_THE_BROKER):
        raise Refused(503, "busy", f"the dead letters of {lane} are being gone through; ask again in a moment")
    try:
        connection = pika.BlockingConnection(_parameters(lane))
        try:
            yield connection.channel(), QUEUES[lane]
        finally:
            if connection.is_open:
                connection.close()
    except (pika.exceptions.AMQPError, OSError) as error:
        message = f"the broker of {lane} does not answer ({type(error).__name__}); its dead letters stay where they are"
        raise Refused(503, "broker_unavailable", message) from error
    finally:
        _one_at_a_time[lane].release()


def _parameters(lane: str) -> pika.ConnectionParameters:
    chosen = parameters(settings().celery_broker_url if lane == "celery" else settings().rmq_url, "dead letters")
    chosen.socket_timeout = chosen.stack_timeout = chosen.blocked_connection_timeout = SECONDS_FOR_THE_BROKER
    chosen.heartbeat = 2 * SECONDS_FOR_THE_BROKER  # a broker that freezes meanwhile is noticed
    return chosen


def first(lane: str, limit: int) -> tuple[list[Letter], int]:
    """The oldest `limit` letters of `lane`, and how many there are."""
    found: list[Letter] = []

    def look(letter: Letter) -> bool:
        found.append(letter)
        return False

    return found, go_through(lane, look, lambda: len(found) >= limit)


def find(lane: str, letter_id: str) -> Letter | None:
    """The letter called `letter_id`, or None."""
    found: list[Letter] = []

    def look(letter: Letter) -> bool:
        if letter.id == letter_id:
            found.append(letter)
        return False

    go_through(lane, look, lambda: bool(found))
    return found[0] if found else None


Wanted = Callable[[Letter], bool]


def discard(lane: str, wanted: Wanted) -> list[Letter]:
    """Throw away the letters that are `wanted`; return them."""
    gone: list[Letter] = []

    def throw(letter: Letter) -> bool:
        if wanted(letter):
            gone.append(letter)
        return wanted(letter)

    go_through(lane, throw)
    return gone


def replay(lane: str, wanted: Wanted) -> tuple[dict[str, str], dict[str, str]]:
    """Accept a new run for each letter that is `wanted`, and remove the letter.

    Returns:
        the new runs' ids by their letters' ids; and why the others, by id, could not be replayed and were left.
    """
    accepted: dict[str, str] = {}
    refused: dict[str, str] = {}

    def again(letter: Letter) -> bool:
        if not wanted(letter):
            return False
        try:
            accepted[letter.id] = _accept_again(letter)
        except (Unreadable, UnknownJob, InvalidArguments) as error:
            refused[letter.id] = str(error)
            return False
        crash_point("after-replay")
        return True

    go_through(lane, again)
    return accepted, refused


def _accept_again(letter: Letter) -> str:
    """A new run for the letter, in one transaction with the note that it was made; a copy of the letter finds that."""
    if letter.args is None:
        raise Unreadable(letter.reason)
    job = job_named(letter.job or "")
    key, new_id = f"dead-letter:{letter.lane}:{letter.run_id}", runs.new_id()
    row = {"key": key, "body_hash": "", "reply": new_id, "created_at": clock.now()}
    with database.writing() as connection:
        if not database.insert_if_new(connection, idempotency_keys, row):
            return str(connection.execute(select(idempotency_keys.c.reply).filter_by(key=key)).scalar_one())
        old = runs.find(connection, letter.run_id) if letter.run_id else None
        if old is not None and old.finished_at is None:
            raise Unreadable(f"its run {old.id} is {old.state} and goes on by itself; cancel it first, or wait")
        runs.accept(
            connection, job, letter.lane, letter.args,
            priority=min(letter.properties.priority or 0, job.queue.max_priority),
            parent=letter.run_id, run_id=new_id, steps=workflow.again(workflow.after(old) if old else ()),
        )  # fmt: skip
    ledger.record("accepted", new_id, letter.lane, detail=f"replayed from {letter.run_id}")
    return new_id


# end
