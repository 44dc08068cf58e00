"""Texts and numbers from outside: what a model, a messenger, a sheet, an export, a header or a URL says.

None of it is ours, so all of it comes through here before it is used. A text loses the characters that no database
and no terminal takes. A number is inside a range, or it is not there. A text that is too long for its place is named.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from cars_bot.errors import Permanent

LONGEST_WAIT = 3_600.0  # seconds: whoever tells us to wait longer is asked again after an hour
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LARGEST_ID = 2**63 - 1  # what a database's whole numbers hold

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and half of a character beyond the first 65,536


def clean(text: str) -> str:
    """The text with a replacement character for each NUL and each half of a character: no database takes those."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub(REPLACEMENT, text)


def cleaned(value: Any) -> Any:
    """A JSON value in which each text, also each name of a field, is clean.

    Raises:
        RecursionError: it is nested deeper than Python goes.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in value]
    return value


def fitting(text: str, longest: int, what: str) -> str:
    """The clean text, if it has at most `longest` characters; `what` names it in the error.

    Raises:
        Permanent: it is longer.
    """
    if len(text) > longest:
        raise Permanent(f"{what} has {len(text):,} characters; at most {longest} fit")
    return clean(text)


def number(value: Any, lowest: float, highest: float) -> float | None:
    """A number, or the text of one, if it lies in the range; None for everything else, also for true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and lowest <= found <= highest else None


def whole(value: Any, lowest: int = 1, highest: int = LARGEST_ID) -> int | None:
    """A whole number, not the text of one, if it lies in the range; None for everything else."""
    return value if type(value) is int and lowest <= value <= highest else None


def seconds(told: Any, otherwise: float, now: float | None = None) -> float:
    """For how long to wait, as the other side tells it: from 0 to `LONGEST_WAIT`.

    Args:
        told: seconds as a number or a text, a length of time, or an HTTP date (RFC 9110, 10.2.3).
        otherwise: what counts where nothing usable is told: nothing, not a number, a time before now.
        now: seconds since 1970; None: this moment.
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
    """For how long the headers of an answer tell to wait, in seconds: `Retry-After`, or OpenAI's in milliseconds."""
    milliseconds = number(headers.get("retry-after-ms"), 0.0, math.inf)
    if milliseconds is not None:
        return min(milliseconds / 1_000, LONGEST_WAIT)
    return seconds(headers.get("retry-after"), otherwise)


def _until(date: str, now: float | None) -> float | None:
    """Seconds until an HTTP date; None if it is none."""
    try:
        at = parsedate_to_datetime(date)
        moment = datetime.now(UTC).timestamp() if now is None else now
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - moment
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
