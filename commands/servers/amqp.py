"""Questions to a running RabbitMQ: does it let us in, which kit owns its queues, do workers use it."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from commands.servers.ports import PREFERRED

CLUSTER_NAME = "cars-bot-kit"  # a kit's private broker tells every client this name before any login


def found_on_this_machine() -> str | None:
    """Return the address of a broker on the standard port that accepts the kit's login and is not in use, or None."""
    url = f"amqp://student:qwerty@127.0.0.1:{PREFERRED['rabbitmq']}/"
    if CLUSTER_NAME in greeting("127.0.0.1", PREFERRED["rabbitmq"]):
        return None  # the private broker of another kit
    return url if why_not(url) is None and not has_consumers(url) else None


def greeting(host: str, port: int) -> str:
    """Return a broker's description of itself before any login (AMQP 0-9-1, connection.start), or an empty string."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(4096).decode("latin-1")
    except OSError:
        return ""


def why_not(url: str) -> str | None:
    """Return None if the broker at `url` lets us in, else the reason in words."""
    import pika
    import pika.exceptions as refusals
    from pika.adapters.utils.connection_workflow import AMQPConnectorException

    from raw_consumer.setup.parameters import parameters

    try:
        chosen = parameters(url, "kit")
        chosen.socket_timeout = chosen.stack_timeout = chosen.blocked_connection_timeout = 3
        pika.BlockingConnection(chosen).close()
    except (refusals.ProbableAuthenticationError, refusals.AuthenticationError):
        return "the broker there refuses this user and password"
    except refusals.ProbableAccessDeniedError:
        return "the broker there refuses this virtual host"
    except (refusals.AMQPError, AMQPConnectorException, ssl.SSLError) as error:
        if refused := _certificate_error(error):
            return f"its certificate is refused: {refused}"
        return f"no broker answers there ({type(error).__name__})"
    except (OSError, ValueError) as error:
        return f"it cannot be reached: {error}"
    return None


def _certificate_error(error: BaseException | None) -> str:
    """Return the certificate error of TLS from any place in an error of pika's, or an empty string."""
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason)
    inside = [*(error.args if error else ()), getattr(error, "exception", None), *getattr(error, "exceptions", ())]
    causes = [cause for cause in inside if isinstance(cause, BaseException)]
    return next(filter(None, map(_certificate_error, causes)), "")


def has_consumers(url: str) -> bool:
    """Return whether workers use this broker. They belong to another kit, and we must not take its jobs."""
    from cars_bot.catalogue import QUEUES

    return any(consumers(url, [*QUEUES, *(f"raw.{name}" for name in QUEUES)]).values())


@dataclass(frozen=True)
class Lane:
    """A lane that travels through RabbitMQ.

    Attributes:
        worker: the program that takes its messages.
        mark: the queue that names the owner of the other queues (`cars_bot/processes/ownership.py`).
        dead_letters: its exchange for dead letters.
    """

    worker: str
    url: str
    mark: str
    dead_letters: str
    queues: list[str]


def lanes() -> list[Lane]:
    """Return the lanes that travel through RabbitMQ."""
    from cars_bot.catalogue import QUEUES
    from cars_bot.settings import settings

    # The names stand here because an import of the lanes' modules takes a second.
    found = [Lane("consumer", settings().rmq_url, "raw.kit", "raw.dead", [f"raw.{name}" for name in QUEUES])]
    if not settings().celery_over_redis:
        found.append(Lane("celery_worker", settings().celery_broker_url, "celery.kit", "celery.dead", list(QUEUES)))
    return found


def belongs_to(lane: Lane, owner: str) -> tuple[str, str]:
    """Return the fault and the remedy for a lane that belongs to another kit."""
    from cars_bot.processes import ownership

    setting = {"consumer": "RMQ_URL", "celery_worker": "CELERY_BROKER_URL"}[lane.worker]
    return ownership.in_words(lane.url, owner), f"set {setting} in .env to amqp://user:password@host:port/another-name"


def other_owner(lane: Lane) -> str | None:
    """Return the name of the other kit that owns the lane's queues. None means that they are ours from now on."""
    import pika
    import pika.exceptions

    from cars_bot.processes import ownership

    connection = pika.BlockingConnection(pika.URLParameters(lane.url))
    try:
        mark = ownership.mark(ownership.kit_name(), lane.dead_letters)
        connection.channel().queue_declare(lane.mark, durable=True, arguments=mark)
    except pika.exceptions.ChannelClosedByBroker as refusal:
        if owner := ownership.owner_in(str(refusal)):
            return owner
        raise
    finally:
        if connection.is_open:
            connection.close()
    return None


def take_over(lane: Lane) -> None:
    """Make the lane ours. The other kit's messages in the queues are deleted; it sends them again when it is up."""
    purge(lane.url, lane.queues)
    for channel, name in _each(lane.url, [lane.mark]):
        channel.queue_delete(name)
    other_owner(lane)


def consumers(url: str, queues: list[str]) -> dict[str, int]:
    """Return the number of consumers of each of `queues`. Queues that do not exist are left out."""
    return {
        name: channel.queue_declare(name, passive=True).method.consumer_count for channel, name in _each(url, queues)
    }


def messages(url: str, queues: list[str]) -> dict[str, int]:
    """Return the number of messages that wait in each of `queues`. Queues that do not exist are left out."""
    return {
        name: channel.queue_declare(name, passive=True).method.message_count for channel, name in _each(url, queues)
    }


def purge(url: str, queues: list[str]) -> None:
    """Empty `queues`. Queues that do not exist are left out."""
    for channel, name in _each(url, queues):
        channel.queue_purge(name)


def _each(url: str, queues: list[str]) -> Iterator[tuple[Any, str]]:
    """Yield a channel for each queue that exists. RabbitMQ closes a channel that asks for a missing queue."""
    import pika
    import pika.exceptions

    from raw_consumer.setup.parameters import parameters

    connection = pika.BlockingConnection(parameters(url, "kit"))
    try:
        for name in queues:
            channel = connection.channel()
            try:
                channel.queue_declare(name, passive=True)
            except pika.exceptions.ChannelClosedByBroker:
                continue
            yield channel, name
    finally:
        connection.close()
