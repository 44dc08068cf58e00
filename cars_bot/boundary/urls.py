"""Addresses of servers: both lanes, the commands and every message read a server's URL here.

Each client library reads a URL in its own way. One stops at a `#`. One reads a `,` as a list. One passes unknown
parameters on as arguments of a function. So no library gets a URL that a person wrote. It gets the parts, or an address
that is rebuilt from the parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote

from cars_bot.boundary import url_parts
from cars_bot.boundary.url_parts import ENCODE, Unreadable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BROKER_SCHEMES = {"amqp": 5672, "amqps": 5671}
REDIS_SCHEMES = {"redis": 6379, "rediss": 6379, "unix": 0, "redis+socket": 0}
WEB_SCHEMES = {"http": 80, "https": 443}
REDIS_DATABASES = 16  # the number on a server with its default settings
# The parameters that a broker's URL may have after its `?`, and the range of each in seconds. Both lanes obey these.
# channel_max and frame_max are missing, because Celery's library always takes them from the broker. A number of
# attempts to connect is missing, because both lanes try again without an end.
BROKER_OPTIONS = {
    "heartbeat": (0, 65_535),  # 0: none
    "socket_timeout": (1, 3_600),  # to connect
    "blocked_connection_timeout": (1, 3_600),  # for a broker that stops reading, as it does under an alarm
}
NOT_SHOWN = "(an address that cannot be read)"


@dataclass(frozen=True)
class Broker:
    """A RabbitMQ, as a URL names it. `options` holds those of `BROKER_OPTIONS` that the URL has."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    virtual_host: str
    tls: bool
    options: Mapping[str, int]

    @property
    def url(self) -> str:
        """The address, rebuilt without options, in the one spelling that every library reads alike."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"amqp{'s' * self.tls}://{login}@{in_url(self.host)}:{self.port}/{quote(self.virtual_host, safe='')}"


@dataclass(frozen=True)
class Redis:
    """A database of a Redis, as a URL names it: at `host` and `port`, or at the unix socket `socket`."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: int
    tls: bool
    socket: str

    @property
    def login(self) -> str:
        """The part of a URL before the host: user, password and @, or nothing."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.password else ""


def broker(url: str) -> Broker:
    """Split the URL of a RabbitMQ into its parts.

    Raises:
        Unreadable: it is not such a URL, or it asks for an option that only one of the lanes could obey.
    """
    parts = url_parts.split(url, BROKER_SCHEMES)
    user, password = url_parts.login(parts)
    if bool(user) != bool(password):
        raise Unreadable("it has only one of user and password; give both or none")
    path = parts.path.removeprefix("/")
    if path == "/":  # `amqp://host//`, as Celery's manual writes the virtual host called "/"
        path = ""
    if "/" in path or "@" in path:
        raise Unreadable(f"the virtual host has a / or an @ in it; {ENCODE}")
    return Broker(
        host=url_parts.host(parts),
        port=parts.port or BROKER_SCHEMES[parts.scheme],
        user=user or "guest",
        password=password or "guest",
        virtual_host=url_parts.decoded(path) or "/",
        tls=parts.scheme == "amqps",
        options=dict(_broker_option(name, value) for name, value in url_parts.parameters(parts)),
    )


def _broker_option(name: str, value: str) -> tuple[str, int]:
    if name not in BROKER_OPTIONS:
        known = ", ".join(BROKER_OPTIONS)
        raise Unreadable(f"it asks for {url_parts.shown_name(name)}; both lanes know only {known}")
    lowest, highest = BROKER_OPTIONS[name]
    if not value.isascii() or not value.isdecimal() or not lowest <= int(value[:9]) <= highest:
        raise Unreadable(f"{name} must be a whole number from {lowest} to {highest}")
    return name, int(value)


def redis(url: str) -> Redis:
    """Split the URL of a Redis into its parts: `redis://`, `rediss://` (TLS), `unix:///path/of/a.sock?db=0`.

    Raises:
        Unreadable: it is not such a URL.
    """
    parts = url_parts.split(url, REDIS_SCHEMES)
    user, password = url_parts.login(parts)
    if user and not password:
        raise Unreadable("it has a user without a password; give both, or the password alone as redis://:PASSWORD@host")
    by_socket = not REDIS_SCHEMES[parts.scheme]
    path = parts.path if by_socket else parts.path.strip("/")
    number = path or "0"
    if by_socket:
        number = "0"
        if not path.startswith("/") or parts.hostname or "@" in path:
            raise Unreadable("a socket is given by its whole path: unix:///run/redis/redis.sock?db=0")
    for name, value in url_parts.parameters(parts):
        if name == "db" or (by_socket and name == "virtual_host"):
            number = value
        elif name != "ssl_cert_reqs" or value.lower().removeprefix("cert_") != "required":
            raise Unreadable(
                f"it asks for {url_parts.shown_name(name)}; only db is known (certificates are always checked, and "
                "TLS_CA_FILE names an authority of your own)"
            )
    if not number.isascii() or not number.isdecimal() or int(number[:9]) >= REDIS_DATABASES:
        raise Unreadable(f"its database must be a number from 0 to {REDIS_DATABASES - 1}, such as redis://host:6379/0")
    return Redis(
        host="" if by_socket else url_parts.host(parts),
        port=parts.port or REDIS_SCHEMES[parts.scheme],
        user=user,
        password=password,
        database=int(number),
        tls=parts.scheme == "rediss",
        socket=url_parts.decoded(path) if by_socket else "",
    )


def web(url: str) -> SplitResult:
    """Split the address of an HTTP server into its parts.

    Raises:
        Unreadable: it is not such an address.
    """
    parts = url_parts.split(url, WEB_SCHEMES)
    if not parts.hostname:
        raise Unreadable("it names no server; write http://HOST:PORT")
    url_parts.host(parts)
    return parts


def is_redis(url: str) -> bool:
    """Return whether `url` starts with a scheme of Redis."""
    return url.partition("://")[0].lower() in REDIS_SCHEMES


def address(url: str) -> Broker | Redis:
    """Split the URL of a RabbitMQ or of a Redis into its parts.

    Raises:
        Unreadable: it is neither.
    """
    return redis(url) if is_redis(url) else broker(url)


def in_url(host: str) -> str:
    """Return a host as a URL writes it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host


def shown(url: str) -> str:
    """Return `url` for a log or a terminal: without password and parameters. Nothing of an unreadable one is shown."""
    scheme = url.partition("://")[0].lower()
    try:
        if scheme in WEB_SCHEMES:
            parts = web(url)
            return f"{scheme}://{in_url(parts.hostname or '')}{f':{parts.port}' if parts.port else ''}{parts.path}"
        found = address(url)
    except ValueError:
        return NOT_SHOWN
    who = quote(found.user, safe="") + ":***@" if found.password else ""
    if isinstance(found, Broker):
        virtual_host = "" if found.virtual_host == "/" else quote(found.virtual_host, safe="")
        return f"{scheme}://{who}{in_url(found.host)}:{found.port}/{virtual_host}"
    if found.socket:
        return f"unix://{who}{found.socket}?db={found.database}"
    return f"{scheme}://{who}{in_url(found.host)}:{found.port}/{found.database}"
