"""The one reading of an address: both lanes, the commands and every message take a server's URL apart here.

Each client library reads a URL in its own way: one takes `#` for the end, one takes `,` for a list, one takes unknown
parameters for arguments of a function. So none of them gets a URL that a person wrote. They get its parts, or an
address that is put together again from the parts.

An address that cannot be read is refused, and no part of it is repeated: any part may be a piece of a password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BROKER_SCHEMES = {"amqp": 5672, "amqps": 5671}
REDIS_SCHEMES = {"redis": 6379, "rediss": 6379, "unix": 0, "redis+socket": 0}
WEB_SCHEMES = {"http": 80, "https": 443}
REDIS_DATABASES = 16  # a server has so many unless told otherwise
# What a broker's URL may say after its `?`, in seconds, and in which range: what both lanes obey. Celery's library
# takes channel_max and frame_max from the broker, whatever it is told, and both lanes connect again without an end.
BROKER_OPTIONS = {
    "heartbeat": (0, 65_535),  # 0: none
    "socket_timeout": (1, 3_600),  # to connect
    "blocked_connection_timeout": (1, 3_600),  # for a broker that stops reading, as it does under an alarm
}
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
ENCODE = "a password or a name with one of  @ : / ? # [ ] %  in it needs percent-encoding, such as %23 for #"
NOT_SHOWN = "(an address that cannot be read)"


class Unreadable(ValueError):
    """An address is no good. The message says why, without a word of the address."""


@dataclass(frozen=True)
class Broker:
    """A RabbitMQ, as a URL names it; `options` are those of `BROKER_OPTIONS` that it gives."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    virtual_host: str
    tls: bool
    options: Mapping[str, int]

    @property
    def url(self) -> str:
        """The address again, without options, in the spelling that every library reads alike."""
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
        """What stands before the host."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.password else ""


def broker(url: str) -> Broker:
    """Take the URL of a RabbitMQ apart.

    Raises:
        Unreadable: it is none, or says what only one of the lanes could obey.
    """
    parts = _split(url, BROKER_SCHEMES)
    user, password = _login(parts)
    if bool(user) != bool(password):
        raise Unreadable("a user and a password belong together")
    path = parts.path.removeprefix("/")
    if path == "/":  # `amqp://host//`, as Celery's manual writes the virtual host called "/"
        path = ""
    if "/" in path or "@" in path:
        raise Unreadable(f"the virtual host has a / or an @ in it; {ENCODE}")
    return Broker(
        host=_host(parts),
        port=parts.port or BROKER_SCHEMES[parts.scheme],
        user=user or "guest",
        password=password or "guest",
        virtual_host=_decoded(path) or "/",
        tls=parts.scheme == "amqps",
        options=dict(_broker_option(name, value) for name, value in _query(parts)),
    )


def _broker_option(name: str, value: str) -> tuple[str, int]:
    if name not in BROKER_OPTIONS:
        raise Unreadable(f"it asks for {_told(name)}; both lanes know only {', '.join(BROKER_OPTIONS)}")
    lowest, highest = BROKER_OPTIONS[name]
    if not value.isascii() or not value.isdecimal() or not lowest <= int(value[:9]) <= highest:
        raise Unreadable(f"{name} must be a whole number from {lowest} to {highest}")
    return name, int(value)


def redis(url: str) -> Redis:
    """Take the URL of a Redis apart: `redis://`, `rediss://` (TLS), `unix:///path/of/a.sock?db=0`.

    Raises:
        Unreadable: it is none.
    """
    parts = _split(url, REDIS_SCHEMES)
    user, password = _login(parts)
    if user and not password:
        raise Unreadable("a user without a password")
    by_socket = not REDIS_SCHEMES[parts.scheme]
    path = parts.path if by_socket else parts.path.strip("/")
    number = path or "0"
    if by_socket:
        number = "0"
        if not path.startswith("/") or parts.hostname or "@" in path:
            raise Unreadable("a socket is given by its whole path: unix:///run/redis/redis.sock?db=0")
    for name, value in _query(parts):
        if name == "db" or (by_socket and name == "virtual_host"):
            number = value
        elif name != "ssl_cert_reqs" or value.lower().removeprefix("cert_") != "required":
            raise Unreadable(
                f"it asks for {_told(name)}; only db is known (certificates are always checked, and TLS_CA_FILE names "
                "an authority of your own)"
            )
    if not number.isascii() or not number.isdecimal() or int(number[:9]) >= REDIS_DATABASES:
        raise Unreadable(f"its database must be a number from 0 to {REDIS_DATABASES - 1}, such as redis://host:6379/0")
    return Redis(
        host="" if by_socket else _host(parts),
        port=parts.port or REDIS_SCHEMES[parts.scheme],
        user=user,
        password=password,
        database=int(number),
        tls=parts.scheme == "rediss",
        socket=_decoded(path) if by_socket else "",
    )


def web(url: str) -> SplitResult:
    """Take the address of an HTTP server apart.

    Raises:
        Unreadable: it is none.
    """
    parts = _split(url, WEB_SCHEMES)
    if not parts.hostname:
        raise Unreadable("it names no server")
    _host(parts)
    return parts


def is_redis(url: str) -> bool:
    """Whether `url` starts as a Redis' address does."""
    return url.partition("://")[0].lower() in REDIS_SCHEMES


def address(url: str) -> Broker | Redis:
    """Take the URL of a RabbitMQ or of a Redis apart.

    Raises:
        Unreadable: it is neither.
    """
    return redis(url) if is_redis(url) else broker(url)


def in_url(host: str) -> str:
    """A host as a URL writes it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host


def shown(url: str) -> str:
    """`url` fit for a log or a terminal: no password, no parameters; nothing at all of what cannot be read."""
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


def _split(url: str, schemes: Mapping[str, int]) -> SplitResult:
    known = " or ".join(f"{scheme}://…" for scheme in schemes)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in schemes:
        raise Unreadable(f"it must start with {known}")
    if not url.isprintable() or " " in url:
        raise Unreadable("it has a blank or an invisible character in it")
    if "://" in rest:
        raise Unreadable("it lists several servers; the kit talks to one, so put a load balancer before them")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text would repeat a part of the address
        raise Unreadable(f"its host or its port cannot be read; {ENCODE}") from None
    if "#" in url or port == 0:
        raise Unreadable(f"it has a # in it; {ENCODE}" if port != 0 else "port 0 is no port")
    return parts


def _login(parts: SplitResult) -> tuple[str, str]:
    return _decoded(parts.username or ""), _decoded(parts.password or "")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or "localhost"
    if "," in host or ";" in host:
        raise Unreadable("it lists several servers; the kit talks to one, so put a load balancer before them")
    if ":" in host:
        try:
            return str(IPv6Address(host))
        except AddressValueError:
            raise Unreadable("its IPv6 address is none") from None
    if not NAME.fullmatch(host):
        raise Unreadable(f"its host is no name and no address; {ENCODE}")
    return host


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("its percent-encoding is not that of UTF-8") from None


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    if "@" in parts.query:  # then it is the rest of a password with a ? in it
        raise Unreadable(f"it has an @ after its ?; {ENCODE}")
    return parse_qsl(parts.query, keep_blank_values=True)


def _told(name: str) -> str:
    """A parameter's name, if it looks like one."""
    return f"?{name}=" if re.fullmatch(r"[a-z_]{1,40}", name) else "something"
