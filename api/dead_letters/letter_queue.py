"""Dead-letter queues `celery.dead` and `raw.dead`: go through their letters, oldest first."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions

from api.dead_letters.letters import Letter, read
from api.errors import Refused
from api.publishing import lanes
from cars_bot.settings import settings
from raw_consumer.setup import mended_pika as mended_pika  # one unreadable header must not hide all other letters
from raw_consumer.setup.parameters import parameters

QUEUES = {"celery": "celery.dead", "raw": "raw.dead"}
SECONDS_FOR_THE_BROKER = 5
NONE_ON_REDIS = (
    "Celery's broker is Redis here, which keeps no dead letters; "
    "to run a FAILED run again, send POST /api/runs/{id}/retry"
)
_one_at_a_time = {lane: threading.Lock() for lane in QUEUES}  # one pass through a queue holds all its messages


# feature: dead letters with replay
def go_through(lane: str, take: Callable[[Letter], bool], stop: Callable[[], bool] = lambda: False) -> int:
    """Show the letters of `lane` to `take`, oldest first, until `stop()`. Remove those for which `take` is true.

    The other letters are back in the queue, in the same order, when this returns. Until then nobody else sees them.

    Returns:
        the number of letters before.

    Raises:
        Refused: the lane has no dead letters, the broker does not answer, or another request uses the queue too long.
    """
    with _queue(lane) as (channel, queue):
        try:
            waiting = int(channel.queue_declare(queue, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return 0  # no worker has declared the queue yet
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
    """Open a connection, and give its channel and the queue's name. Unacknowledged letters go back at the end."""
    if lane == "celery" and settings().celery_over_redis:
        raise Refused(409, "no_dead_letters", NONE_ON_REDIS)
    if not _one_at_a_time[lane].acquire(timeout=SECONDS_FOR_THE_BROKER):
        raise Refused(503, "busy", f"another request uses the dead letters of {lane}; try again in a moment")
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
    chosen = parameters(lanes.broker_url(lane), "dead letters")
    chosen.socket_timeout = chosen.stack_timeout = chosen.blocked_connection_timeout = SECONDS_FOR_THE_BROKER
    chosen.heartbeat = 2 * SECONDS_FOR_THE_BROKER  # notices a broker that freezes meanwhile
    return chosen


def first(lane: str, limit: int) -> tuple[list[Letter], int]:
    """Return the oldest `limit` letters of `lane`, and the number of all its letters."""
    found: list[Letter] = []

    def look(letter: Letter) -> bool:
        found.append(letter)
        return False

    return found, go_through(lane, look, lambda: len(found) >= limit)


def find(lane: str, letter_id: str) -> Letter | None:
    """Return the letter with this id, or None."""
    found: list[Letter] = []

    def look(letter: Letter) -> bool:
        if letter.id == letter_id:
            found.append(letter)
        return False

    go_through(lane, look, lambda: bool(found))
    return found[0] if found else None


# end
