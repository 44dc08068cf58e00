"""The one door for numbers and texts that others made: a model, a messenger, a sheet, an export, a header, a URL.

    clean(value)             no character that a database or a terminal refuses
    seconds(value)           a wait, within an hour
    retry_after(headers)     the same out of an answer's headers: milliseconds, seconds or a date
    whole(value)             an id or a count, within 64 bits
    fitting(text, column)    a text that its column can hold
    handle(text)             a name on Telegram; channel(text) in one spelling, to compare by
    parse(body)              JSON with one meaning; parse_damaged(body) for files

Outsiders may send anything: NaN, 10^400, half an emoji, a name of 10 MB. What can be mended without a guess is mended;
all else raises `Unfit`, and the caller says in which message, row or field it stood. Nothing here knows a service.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Column, String

LONGEST_WAIT = 3600.0  # seconds; whoever asks for more is asked again after an hour
BIGGEST = 2**63 - 1  # the largest number of a BIGINT column
LAST_DAY = 4_102_444_800.0  # seconds; the year 2100
DEEPEST = 100  # objects and lists inside each other
DAMAGED_AT_MOST = 100  # one byte of so many may be damaged; in another encoding nearly all letters are
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# What a library raises when it is given an answer that it did not expect.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, AssertionError)

_DATE_GOES_ON = r"\s*\d{1,2}[ -][A-Za-z]"  # "Wed, 21 Oct": this comma does not end an item of a list
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


class Unfit(ValueError):
    """A value from outside that cannot be used; the message says why."""


# ---------------------------------------------------------------- texts


def clean(value: Any) -> Any:
    """Return `value` with U+FFFD for each character that a database or a terminal refuses.

    These are NUL, which PostgreSQL cannot store, and half of a surrogate pair, which no encoding can write: a model
    that is cut off in the middle of an emoji leaves one. Two halves that belong together become their character.
    Lists, tuples and dictionaries are cleaned inside, keys too; anything else is returned as it is.
    """
    match value:
        case str():
            return _clean_text(value)
        case dict():
            return {clean(key): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
    return value


def _clean_text(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def shortened(text: str, most: int) -> str:
    """Return `text` with at most `most` characters; one that was longer ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def fitting(text: str, column: Column[Any]) -> str:
    """Return `text`, cleaned, if `column` can hold it. SQLite would take more; PostgreSQL would not.

    Raises:
        Unfit: it is too long.
    """
    assert isinstance(column.type, String)
    return within(clean(text), column.type.length or BIGGEST)


def within(text: str, most: int) -> str:
    """Return `text` if it has at most `most` characters.

    Raises:
        Unfit: it has more.
    """
    if len(text) > most:
        raise Unfit(f"{shortened(text, 20)!r} has {len(text):,} characters; at most {most:,} are possible")
    return text


def bare(text: str) -> str:
    """Return a name without the spaces and invisible characters that copying leaves around it."""
    return text.translate(_INVISIBLE).strip()


def handle(text: str) -> str:
    """Return a name on Telegram, given as `name`, `@name` or `t.me/name`, as `@name`; a number stays."""
    name = re.sub(r"^(https?://)?(www\.)?(t|telegram)\.me/(s/)?", "", bare(text), flags=re.IGNORECASE).rstrip("/")
    return name if not name or re.fullmatch(r"-?\d+", name) else "@" + name.lstrip("@")


def channel(text: str) -> str:
    """Return a chat's name in its one spelling. Telegram knows no case: `t.me/Cars`, `Cars` and `@CARS` are `@cars`."""
    return handle(text).lower()


# ---------------------------------------------------------------- numbers


def whole(value: Any, least: int = -BIGGEST, most: int = BIGGEST) -> int:
    """Return `value` if it is a whole number from `least` to `most`; True and False are none.

    Raises:
        Unfit: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit(f"{shortened(repr(value), 40)} is no whole number")
    if not least <= value <= most:
        said = str(value) if value.bit_length() < 100 else f"a number of {value.bit_length()} bits"
        raise Unfit(f"{said} is not from {least} to {most}")
    return value


def number(value: Any) -> float:
    """Return a number, or a text that holds one, as a float, perhaps infinite.

    Raises:
        Unfit: it is none, or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit(f"{shortened(repr(value), 40)} is no number")
    try:
        found = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if isinstance(value, int) and value > 0 else -math.inf
    except ValueError:
        raise Unfit(f"{shortened(repr(value), 40)} is no number") from None
    if math.isnan(found):
        raise Unfit("NaN is no number")
    return found


def moment(value: Any) -> float:
    """Return a moment, in seconds since 1970; it lies before the year 2100.

    Raises:
        Unfit: it is no such moment.
    """
    if not 0 < (found := number(value)) < LAST_DAY:
        raise Unfit(f"{shortened(repr(value), 40)} is no moment between 1970 and 2100")
    return found


def seconds(value: Any, otherwise: float, most: float = LONGEST_WAIT) -> float:
    """Return a wait in seconds, from 0 to `most`, whatever the other side said.

    Args:
        value: a number, a text that holds one, a `timedelta`, or anything else.
        otherwise: the wait if `value` is none: missing, NaN or below 0.
    """
    try:
        wait = number(value.total_seconds() if isinstance(value, timedelta) else value)
    except Unfit:
        return otherwise
    return otherwise if wait < 0 else min(wait, most)


def retry_after(headers: Mapping[str, str], otherwise: float, most: float = LONGEST_WAIT) -> float:
    """Return the seconds that an answer's headers ask to wait, from 0 to `most`; `otherwise` if they ask for none.

    `retry-after-ms` is in milliseconds. `Retry-After` is in seconds or a date (RFC 9110, 10.2.3), counted from the
    server's own `Date`: our clock may be wrong. Of several the longest counts. A date in the past means at once.
    """
    given = {name.lower(): value for name, value in headers.items()}
    for name, read in (("retry-after-ms", _milliseconds), ("retry-after", _seconds_or_date)):
        items = re.split(rf",(?!{_DATE_GOES_ON})", given.get(name, "")[:1000])
        waits = [wait for item in items if (wait := seconds(read(item.strip(), given), -1.0, most)) >= 0]
        if waits:
            return max(waits)
    return otherwise


def _milliseconds(text: str, _headers: Mapping[str, str]) -> float | None:
    try:
        return number(text) / 1000
    except Unfit:
        return None


def _seconds_or_date(text: str, headers: Mapping[str, str]) -> Any:
    if (until := _date(text)) is None:
        return text
    return max((until - (_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except UNREADABLE:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# ---------------------------------------------------------------- JSON


def parse(body: bytes | str) -> Any:
    """Return what a JSON text says, cleaned. A byte order mark before it is skipped.

    Raises:
        Unfit: it is no JSON, is not UTF-8 (-16, -32), says NaN, names a key twice in one object, or is too deep.
    """
    return clean(_loads(body, "strict", parse_constant=_no_constant, object_pairs_hook=_each_key_once))


def parse_damaged(body: bytes) -> Any:
    """Return what a JSON file says that may be damaged here and there, as it is: its parts are judged one by one.

    Damaged bytes are left for `clean` to replace; of a key that stands twice the last counts.

    Raises:
        Unfit: it is no JSON, or too deep, or so many bytes are damaged that it must be in another encoding than UTF-8.
    """
    return _loads(body, "surrogateescape")


def _loads(body: bytes | str, errors: str, **hooks: Any) -> Any:
    try:
        text = body if isinstance(body, str) else _decoded(body, errors)
        return _not_too_deep(json.loads(text.removeprefix("\ufeff"), **hooks))
    except UnicodeDecodeError as error:
        raise Unfit(f"it is not written in UTF-8 (byte {error.start:,})") from None
    except json.JSONDecodeError as error:
        raise Unfit(f"{error.msg} at character {error.pos:,}") from None
    except RecursionError:
        raise Unfit(f"it is nested more than {DEEPEST} deep") from None


def _decoded(body: bytes, errors: str) -> str:
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        return body.decode(encoding, "strict" if errors == "strict" else "replace")
    text = body.decode("utf-8", errors)
    if len(re.findall("[\udc80-\udcff]", text)) > len(body) / DAMAGED_AT_MOST:
        return body.decode("utf-8")  # which raises, and says where
    return text


def _no_constant(name: str) -> float:
    raise Unfit(f"{name} is not JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Unfit(f"the key {shortened(clean(name), 40)!r} stands twice in one object")
        found[name] = value
    return found


def _not_too_deep(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _not_too_deep(item, depth + 1)
    return value
