"""Asking a RabbitMQ that runs: does it let us in, whose is it, is anybody working there."""

import socket
import ssl
from collections.abc import Iterator
from typing import Any

from commands.ports import PREFERRED

CLUSTER_NAME = "cars-bot-kit"  # a kit's private broker says this to every client, before any login


def found_on_this_machine() -> str | None:
    """The address of a broker on the standard port that knows the kit's login and is free for our use, or None."""
    url = f"amqp://student:qwerty@127.0.0.1:{PREFERRED['rabbitmq']}/"
    if CLUSTER_NAME in greeting("127.0.0.1", PREFERRED["rabbitmq"]):
        return None  # the private broker of another kit
    return url if why_not(url) is None and not has_consumers(url) else None


def greeting(host: str, port: int) -> str:
    """What a broker says about itself before any login (AMQP 0-9-1, connection.start), or an empty string."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(4096).decode("latin-1")
    except OSError:
        return ""


def why_not(url: str) -> str | None:
    """None if the broker at `url` lets us in, else the reason in words."""
    import pika
    import pika.exceptions as refusals
    from pika.adapters.utils.connection_workflow import AMQPConnectorException

    from raw_consumer.parameters import parameters

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
    """What TLS found wrong, wherever it stands in an error of pika's; else an empty string."""
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason)
    inside = [*(error.args if error else ()), getattr(error, "exception", None), *getattr(error, "exceptions", ())]
    causes = [cause for cause in inside if isinstance(cause, BaseException)]
    return next(filter(None, map(_certificate_error, causes)), "")


def has_consumers(url: str) -> bool:
    """Whether workers are at work there: another installation of the kit, whose jobs must not be taken from it."""
    from cars_bot.catalogue import QUEUES

    return any(consumers(url, [*QUEUES, *(f"raw.{name}" for name in QUEUES)]).values())


def consumers(url: str, queues: list[str]) -> dict[str, int]:
    """How many consumers each of `queues` has; those that do not exist are left out."""
    return {
        name: channel.queue_declare(name, passive=True).method.consumer_count for channel, name in _each(url, queues)
    }


def messages(url: str, queues: list[str]) -> dict[str, int]:
    """How many messages wait in each of `queues`; those that do not exist are left out."""
    return {
        name: channel.queue_declare(name, passive=True).method.message_count for channel, name in _each(url, queues)
    }


def purge(url: str, queues: list[str]) -> None:
    """Empty `queues`; those that do not exist are left out."""
    for channel, name in _each(url, queues):
        channel.queue_purge(name)


def _each(url: str, queues: list[str]) -> Iterator[tuple[Any, str]]:
    """A channel for each queue that exists: asking for one that does not costs the channel."""
    import pika
    import pika.exceptions

    from raw_consumer.parameters import parameters

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
