"""Whose queues these are: two kits on one broker would take each other's messages, and each run some jobs of both.

A kit is a database, and has a name there. In the broker a durable queue that nobody uses carries the name of the kit
whose queues are beside it: as one of its arguments, because RabbitMQ refuses to declare a queue again with other
arguments than it has. So whoever connects declares that queue first, and is refused, with the other's name, if the
queues belong to another kit. On Redis a key carries the name, for as long as that kit's API renews it.
"""

import re
import socket
import uuid
from functools import cache
from typing import Any

import redis
from sqlalchemy import select

from cars_bot import database
from cars_bot.database.models import leaders
from cars_bot.errors import NotConfigured
from cars_bot.processes import clock
from cars_bot.settings import redact, settings

ROLE = "kit"  # the name's row in the table of leases: it is held for ever
KEY = "cars_bot:celery.kit"
KEY_SECONDS = 60

_ITS_NAME = re.compile(r"but current is \W*([^'\\]+)")


def kit_name() -> str:
    """The name of this process's kit. It is made once for a database and says where that was.

    A process without a database has none: an empty string.

    Raises:
        StorageUnavailable: it cannot be read now.
    """
    return "" if database.is_forbidden() else _name(settings().database_url)


@cache
def _name(database_url: str) -> str:
    named = select(leaders.c.holder).where(leaders.c.role == ROLE)
    with database.statements() as connection:
        name = connection.execute(named).scalar_one_or_none()
    if name is None:
        # Short: a refusal of RabbitMQ has 255 characters, and both kits' names are in it.
        name = f"{uuid.uuid4().hex[:8]} at {socket.gethostname()[:20]}: {redact(database_url)[-30:]}"
        with database.writing() as connection:
            database.insert_if_new(connection, leaders, {"role": ROLE, "holder": name, "until": clock.now()})
            name = connection.execute(named).scalar_one()  # another process may have been faster
    return str(name)


def mark(name: str, dead_letters: str) -> dict[str, str]:
    """The arguments of the queue that says whose the queues are. No message ever is in it, so none is dead-lettered.

    Args:
        dead_letters: the lane's exchange for them; its users may name no other.
    """
    return {"x-dead-letter-exchange": dead_letters, "x-dead-letter-routing-key": name}


def claim(channel: Any, queue: str, dead_letters: str) -> None:
    """Say down a pika channel that the queues beside `queue` are ours. Else the broker closes it, and does no more.

    Raises:
        StorageUnavailable: the database, where our name stands, does not answer.
    """
    if name := kit_name():
        channel.queue_declare(queue, durable=True, arguments=mark(name, dead_letters))


def explain(error: Exception, url: str) -> str:
    """What is wrong with the connection to the broker at `url`."""
    owner = owner_in(str(error))
    return in_words(url, owner) if owner else repr(error)


def owner_in(refusal: str) -> str | None:
    """The other kit's name, if a broker's refusal is about the queue that says whose the queues are."""
    if "x-dead-letter-routing-key" not in refusal:
        return None
    found = _ITS_NAME.search(refusal)  # a long name of a virtual host may leave no room for it
    return found[1] if found else "unknown"


def claim_on_redis(url: str) -> None:
    """Say that the Celery lane's lists in that Redis are ours. A Redis that is away is told later.

    Raises:
        NotConfigured: they are another kit's; the message says what to do.
        StorageUnavailable: the database, where this kit's name stands, does not answer.
    """
    if not (name := kit_name()):
        return
    try:
        with redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0, decode_responses=True) as client:
            client.set(KEY, name, nx=True, ex=KEY_SECONDS)
            owner = client.get(KEY)
            if owner == name:
                client.expire(KEY, KEY_SECONDS)
    except redis.RedisError:
        return
    if owner not in (None, name):
        raise NotConfigured(in_words(url, str(owner)))


def in_words(url: str, owner: str) -> str:
    """The sentence for a worker, an API or a command that finds another kit's queues."""
    return (
        f"the queues at {redact(url)} belong to another kit ({owner}); nothing is sent there or taken from there. Give "
        "this kit a virtual host of its own (on Redis: a database number), or stop the other one: ./kit down, there"
    )
