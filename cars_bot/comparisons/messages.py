"""Messages of a comparison: the copy of each message that the broker got, with all its properties, headers and body.

A broker's client has read the message; here it becomes plain JSON, without secrets.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_BODY = 16_000  # characters of a body that are kept
HIDDEN = "•••"
_SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|authorization|credential", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/@\"']+(?=@)")


@dataclass(frozen=True)
class Message:
    """A message as the broker got it. `at` is in seconds since 1970, sizes are in bytes.

    `head_bytes` is the size of the properties and headers on the wire, `body_bytes` that of the whole body.
    """

    at: float
    run: str
    lane: str
    exchange: str
    routing_key: str
    properties: dict[str, Any]
    headers: dict[str, Any]
    body: str
    head_bytes: int
    body_bytes: int


def without_secrets(properties: Mapping[str, Any], headers: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return properties, headers and body as JSON values. A secret is "•••", wherever it stands.

    A secret is a value under a name such as password, token or api_key, or a login in an address.
    """
    text = body.decode(errors="replace")
    plain = {"properties": _plain(properties), "headers": _plain(headers)}
    secrets = sorted({*_secrets(plain), *_secrets(_parsed(text))}, key=len, reverse=True)
    return {**_hide(plain, secrets), "body": _hide(text, secrets)[:LONGEST_BODY]}


def of_run(messages: Iterable[Message], run: str) -> list[Message]:
    """Return the messages of one run, oldest first. Each retry that is a new message has one more."""
    return sorted((each for each in messages if each.run == run), key=lambda each: each.at)


def twins(runs: Sequence[Mapping[str, Any]], run: str) -> list[str]:
    """Return the runs of the same job on the other lanes: each lane gets the same submissions in the same order.

    Args:
        runs: all runs of a comparison, in the order of their ids.
        run: the id of one of them.
    """
    own = next((each for each in runs if each["id"] == run), None)
    if own is None:
        return []
    found, place = [], _submissions(runs, own["lane"]).index(own["submission"])
    for lane in dict.fromkeys(each["lane"] for each in runs):
        submissions = _submissions(runs, lane)
        if lane != own["lane"] and place < len(submissions):
            its = (each for each in runs if each["submission"] == submissions[place] and each["job"] == own["job"])
            found += [each["id"] for each in its][:1]
    return found


def _submissions(runs: Sequence[Mapping[str, Any]], lane: str) -> list[str]:
    return [each["id"] for each in runs if each["lane"] == lane and each["id"] == each["submission"]]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it. Bytes, dates and other types of AMQP become texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _secrets(value: Any, is_secret: bool = False) -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secrets(each, is_secret or _SECRET_NAME.search(name) is not None)
    elif isinstance(value, list):
        for each in value:
            yield from _secrets(each, is_secret)
    elif is_secret and isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) > 2:
        yield str(value)


def _hide(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {name: _hide(each, secrets) for name, each in value.items()}
    if isinstance(value, list):
        return [_hide(each, secrets) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return HIDDEN if str(value) in secrets else value
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, HIDDEN)
    return _LOGIN_IN_URL.sub(HIDDEN, value)
