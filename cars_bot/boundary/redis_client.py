"""Redis client: made from the checked parts of an address, and never from the text of a URL."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cars_bot.boundary import urls
from cars_bot.settings import settings


def connect(url: str, seconds: float, **more: Any) -> redis.Redis:
    """Return a client of the Redis at `url`. It gives up after `seconds`, without a second try.

    Args:
        more: further arguments of `redis.Redis`, such as decode_responses.

    Raises:
        cars_bot.boundary.url_parts.Unreadable: the address cannot be read.
    """
    at = urls.redis(url)
    where: dict[str, Any] = {"unix_socket_path": at.socket} if at.socket else {"host": at.host, "port": at.port}
    if at.tls:  # the client checks the certificate and its name
        where |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        where |= {"ssl_ca_certs": settings().tls_ca_file}
    return redis.Redis(
        **where,
        db=at.database,
        username=at.user or None,
        password=at.password or None,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        **more,
    )
