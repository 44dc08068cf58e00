"""The address of a broker as pika's parameters."""

import ssl
from collections.abc import Callable

import pika

from cars_bot.boundary import urls
from cars_bot.settings import settings


def parameters(url: str, name: str) -> pika.ConnectionParameters:
    """The parameters of a connection. Each wait has a bound in seconds.

    Raises:
        cars_bot.boundary.url_parts.Unreadable: the address cannot be read.
    """
    at = urls.broker(url)
    bounds: dict[str, int] = {
        "heartbeat": 20,  # a dead peer is noticed within two of them
        "socket_timeout": 5,
        "blocked_connection_timeout": 10,  # a broker under an alarm does not announce its end
        **at.options,  # the options of the URL
    }
    trusted = ssl.create_default_context(cafile=settings().tls_ca_file) if at.tls else None
    return pika.ConnectionParameters(
        host=at.host,
        port=at.port,
        virtual_host=at.virtual_host,
        credentials=pika.PlainCredentials(at.user, at.password),
        ssl_options=pika.SSLOptions(trusted, at.host) if trusted else None,  # the name on the certificate is checked
        stack_timeout=2 * bounds["socket_timeout"],  # socket, login and all
        connection_attempts=1,
        client_properties={"connection_name": name},
        **bounds | {"heartbeat": _agreed(bounds["heartbeat"])},
    )


def _agreed(asked: int) -> Callable[[object, int], int]:
    """Agree with the broker as Celery's library does: on the smaller wish, or on none if this side wants none."""
    return lambda _connection, brokers: min(asked, brokers or asked)
