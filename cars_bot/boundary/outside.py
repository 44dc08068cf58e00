"""Texts and numbers from outside: from a model, a messenger, a sheet, an export, a header or a URL.

We do not control them, so all of them pass through here before their use. A text loses the characters that no database
or terminal accepts. A number outside its range becomes None. An error names a text that is too long for its place.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from cars_bot.errors import Permanent

LONGEST_WAIT = 3_600.0  # seconds; if the other side says longer, we still ask again after an hour
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
DAMAGED_AT_MOST = 100  # one byte in 100; in a file of another encoding nearly all letters are damaged
LARGEST_ID = 2**63 - 1  # the largest whole number in a database

# The errors that a library raises for an answer of an unexpected shape.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, AssertionError)

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
_LINK = re.compile(r"^(https?://)?(www\.)?(t|telegram)\.me/(s/)?", re.IGNORECASE)
_BETWEEN = re.compile(r",(?!\s*\d{1,2}[ -][A-Za-z])")  # a comma, but not the one in "Wed, 21 Oct 2026 07:28:00 GMT"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and lone surrogates (half an emoji)


def clean(text: str) -> str:
    """Return the text with a replacement character for each NUL and lone surrogate: no database stores those."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub(REPLACEMENT, text)


def cleaned(value: Any) -> Any:
    """Return a JSON value with each text and each field's name clean.

    Raises:
        RecursionError: it is nested deeper than Python can follow.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in value]
    return value


def decoded(content: bytes) -> str:
    """Return the text of a JSON file, with a replacement character for each damaged byte.

    Raises:
        UnicodeDecodeError: too many bytes are damaged; the file must have another encoding than UTF-8.
    """
    encoding = json.detect_encoding(content)  # UTF-8, also with a byte order mark, UTF-16 or UTF-32: RFC 4627
    text = content.decode(encoding, "replace")
    if text.count(REPLACEMENT) - content.count(REPLACEMENT.encode()) > max(4, len(content) / DAMAGED_AT_MOST):
        return content.decode(encoding)
    return text.removeprefix("\ufeff")


def each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a JSON object. For `json.loads(…, object_pairs_hook=…)`.

    Raises:
        ValueError: the object has a field twice, so its meaning is unclear.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the field {clean(name)[:40]!r} is there twice")
        found[name] = value
    return found


def fitting(text: str, longest: int, what: str) -> str:
    """Return the clean text, if it has at most `longest` characters. `what` names it in the error.

    Raises:
        Permanent: it is longer.
    """
    try:
        return short_enough(clean(text), longest)
    except ValueError as error:
        raise Permanent(f"{what} {error}") from None


def short_enough(text: str, longest: int) -> str:
    """Return the text, if it has at most `longest` characters.

    Raises:
        ValueError: it is longer. The message lacks its subject: the caller puts the text's name before it.
    """
    if len(text) > longest:
        raise ValueError(f"has {len(text):,} characters; at most {longest} fit")
    return text


def bare(text: str) -> str:
    """Return the clean text without blanks around it and without invisible characters. Copied text often has both."""
    return clean(text).translate(_INVISIBLE).strip()


def handle(text: str) -> str:
    """Return a Telegram name (`name`, `@name` or `t.me/name`) as `@name`. A number stays a number."""
    name = _LINK.sub("", bare(text)).rstrip("/")
    return name if not name or re.fullmatch(r"-?\d+", name) else "@" + name.lstrip("@")


def channel(text: str) -> str:
    """Return a chat's name in its one spelling. Telegram ignores case: `t.me/Cars`, `Cars` and `@CARS` are `@cars`."""
    return handle(text).lower()


def number(value: Any, lowest: float, highest: float) -> float | None:
    """Return a number, or the number that a text holds, if it is in the range; else None, also for true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and lowest <= found <= highest else None


def whole(value: Any, lowest: int = 1, highest: int = LARGEST_ID) -> int | None:
    """Return a whole number if it is in the range. None for everything else, also for the text of a number."""
    return value if type(value) is int and lowest <= value <= highest else None


def seconds(told: Any, otherwise: float, now: float | None = None) -> float:
    """Return the seconds that the other side tells us to wait: from 0 to `LONGEST_WAIT`.

    Args:
        told: seconds as a number or a text, a length of time, or an HTTP date (RFC 9110, 10.2.3).
        otherwise: the result if `told` is empty, is not a number, or is a time before now.
        now: seconds since 1970. None means this moment.
    """
    if isinstance(told, timedelta):
        told = told.total_seconds()
    found = number(told, -math.inf, math.inf)
    if found is None and isinstance(told, str):
        found = _until(told, now)
    if found is None or found < 0:
        return otherwise
    return min(found, LONGEST_WAIT)


def told_to_wait(headers: Mapping[str, str], otherwise: float) -> float:
    """Return the wait that an answer's headers ask for, in seconds: `Retry-After`, or OpenAI's in milliseconds.

    A date counts from the server's own `Date`, because our clock may be wrong. Of several waits the longest counts.
    """
    milliseconds = number(headers.get("retry-after-ms"), 0.0, math.inf)
    if milliseconds is not None:
        return min(milliseconds / 1_000, LONGEST_WAIT)
    server_time = _moment(headers.get("date", ""))
    told = _BETWEEN.split(headers.get("retry-after", "")[:1_000])
    return max((wait for one in told if (wait := seconds(one.strip(), -1.0, server_time)) >= 0), default=otherwise)


def _until(date: str, now: float | None) -> float | None:
    """Return the seconds until an HTTP date; None if the text is not one."""
    at = _moment(date)
    return None if at is None else at - (datetime.now(UTC).timestamp() if now is None else now)


def _moment(date: str) -> float | None:
    """Return an HTTP date in seconds since 1970; None if the text is not one."""
    try:
        at = parsedate_to_datetime(date)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
