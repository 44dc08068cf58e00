"""Ownership of queues: two kits on one broker would take each other's messages, and each would run jobs of the other.

A kit is a database, and its name is in the database. In RabbitMQ, an unused durable queue has the name of the kit that
owns the queues beside it. The name is an argument of the queue. RabbitMQ refuses to declare a queue again with other
arguments. So each process declares this queue first. If the queues belong to another kit, RabbitMQ's refusal contains
the other kit's name. In Redis, a key has the name, for as long as that kit's API renews it.
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

ROLE = "kit"  # the name is a row in the table of leases; the kit holds it for ever
KEY = "cars_bot:celery.kit"
KEY_SECONDS = 60

_ITS_NAME = re.compile(r"but current is \W*([^'\\]+)")


def kit_name() -> str:
    """Return the name of this process's kit. It is made once for a database, and it contains the place.

    Without a database the name is an empty string.

    Raises:
        StorageUnavailable: the name cannot be read now.
    """
    return "" if database.is_forbidden() else _name(settings().database_url)


@cache
def _name(database_url: str) -> str:
    named = select(leaders.c.holder).where(leaders.c.role == ROLE)
    with database.statements() as connection:
        name = connection.execute(named).scalar_one_or_none()
    if name is None:
        # The name is short, because a refusal of RabbitMQ has 255 characters and contains both kits' names.
        name = f"{uuid.uuid4().hex[:8]} at {socket.gethostname()[:20]}: {redact(database_url)[-30:]}"
        with database.writing() as connection:
            database.insert_if_new(connection, leaders, {"role": ROLE, "holder": name, "until": clock.now()})
            name = connection.execute(named).scalar_one()  # another process may have been faster
    return str(name)


def mark(name: str, dead_letters: str) -> dict[str, str]:
    """Return the arguments of the queue that names the owner. It never has a message, so there is no dead letter.

    Args:
        dead_letters: the lane's exchange for dead letters; its users must not name another one.
    """
    return {"x-dead-letter-exchange": dead_letters, "x-dead-letter-routing-key": name}


def reserve(channel: Any, queue: str, dead_letters: str) -> None:
    """Reserve the queues beside `queue` on a pika channel. If another kit owns them, the broker closes the channel.

    Raises:
        StorageUnavailable: the database, which has our name, does not answer.
    """
    if name := kit_name():
        channel.queue_declare(queue, durable=True, arguments=mark(name, dead_letters))


def explain(error: Exception, url: str) -> str:
    """Return a description of an error of the connection to the broker at `url`."""
    owner = owner_in(str(error))
    return in_words(url, owner) if owner else repr(error)


def owner_in(refusal: str) -> str | None:
    """Return the other kit's name, if a broker's refusal is about the queue that names the owner."""
    if "x-dead-letter-routing-key" not in refusal:
        return None
    found = _ITS_NAME.search(refusal)  # a long name of a virtual host may leave no room for the kit's name
    return found[1] if found else "unknown"


def reserve_on_redis(url: str) -> None:
    """Reserve the Celery lane's lists in that Redis. If Redis is away, do nothing; a later call reserves them.

    Raises:
        NotConfigured: the lists belong to another kit; the message says what to do.
        StorageUnavailable: the database, which has this kit's name, does not answer.
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
    """Return the message for a worker, an API or a command that finds another kit's queues."""
    return (
        f"the queues at {redact(url)} belong to another kit ({owner}); this kit sends and takes nothing there. Give "
        "this kit its own virtual host (on Redis: its own database number), or stop the other kit: ./kit down there"
    )
