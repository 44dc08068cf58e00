"""Parts of one address: functions that split a URL and read its login, host, path and parameters.

An unreadable address is refused. The error repeats no part of it: any part may be a piece of a password.
"""

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
ENCODE = "a password or a name with one of  @ : / ? # [ ] %  in it needs percent-encoding, such as %23 for #"
ONE_SERVER = "it lists several servers; the kit talks to one, so put a load balancer before them"


class Unreadable(ValueError):
    """The kit cannot use an address. The message says why and repeats no part of the address."""


def split(url: str, schemes: Mapping[str, int]) -> SplitResult:
    """Split a URL into its parts.

    Args:
        schemes: the schemes that the URL may start with.

    Raises:
        Unreadable: the URL starts with another scheme, or cannot be split without doubt.
    """
    known = " or ".join(f"{scheme}://…" for scheme in schemes)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in schemes:
        raise Unreadable(f"it must start with {known}")
    if not url.isprintable() or " " in url:
        raise Unreadable("it has a blank or an invisible character in it; remove that character")
    if "://" in rest:
        raise Unreadable(ONE_SERVER)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # the library's own message would repeat a part of the address
        raise Unreadable(f"its host or its port cannot be read; {ENCODE}") from None
    if port == 0:
        raise Unreadable("its port is 0, and no server listens there; give the server's port")
    if "#" in url:
        raise Unreadable(f"it has a # in it; {ENCODE}")
    return parts


def login(parts: SplitResult) -> tuple[str, str]:
    """Return user and password, decoded. Empty where the URL has none."""
    return decoded(parts.username or ""), decoded(parts.password or "")


def host(parts: SplitResult) -> str:
    """Return the host's name or address; "localhost" where the URL has none.

    Raises:
        Unreadable: the host is not one name or address.
    """
    found = parts.hostname or "localhost"
    if "," in found or ";" in found:
        raise Unreadable(ONE_SERVER)
    if ":" in found:
        try:
            return str(IPv6Address(found))
        except AddressValueError:
            raise Unreadable("its IPv6 address is not valid; write one such as [::1]") from None
    if not HOST_NAME.fullmatch(found):
        raise Unreadable(f"its host is not a name or an address; {ENCODE}")
    return found


def decoded(text: str) -> str:
    """Return a part without its percent-encoding.

    Raises:
        Unreadable: the encoded bytes are not UTF-8.
    """
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("its percent-encoding is not UTF-8; encode each character as its bytes in UTF-8") from None


def parameters(parts: SplitResult) -> list[tuple[str, str]]:
    """Return the names and values after the `?`.

    Raises:
        Unreadable: an @ is among them, so they are the rest of a password with a ? in it.
    """
    if "@" in parts.query:
        raise Unreadable(f"it has an @ after its ?; {ENCODE}")
    return parse_qsl(parts.query, keep_blank_values=True)


def shown_name(name: str) -> str:
    """Return a parameter's name for an error. It may be a piece of a password, so an unusual name is not shown."""
    return f"?{name}=" if re.fullmatch(r"[a-z_]{1,40}", name) else "something"
