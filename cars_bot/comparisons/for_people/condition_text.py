"""Conditions of a comparison as text, such as 2s:kill-child:raw. A person types them, and the page shows them.

A text is the moment, the fault, and then, in any order, what the fault takes:

2s:kill-worker          on each lane               2s:kill-child:raw        on one lane
2s:freeze-worker:3s     its length in seconds      2s:scale:celery:3        a number of workers
1s:error:8              a number of calls          1s:hang:2:5s             2 calls, of 5 seconds each
"""

import re
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from cars_bot.comparisons.request import FAULTS, Condition, in_words
from cars_bot.errors import InvalidArguments

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)s")
_NUMBER = re.compile(r"[0-9]{1,9}")
_EXAMPLES = "write 2s:kill-worker, 2s:kill-child:raw, 2s:freeze-worker:3s or 2s:error:8"


def parsed(text: str) -> Condition:
    """Return the condition that a text describes.

    Raises:
        InvalidArguments: the text has another form, or names an unknown fault, or its fault does not take a value.
    """
    at, *rest = text.split(":")
    if not (moment := _SECONDS.fullmatch(at)) or not rest:
        raise InvalidArguments(f"{text!r} is no condition; {_EXAMPLES}")
    what, *values = rest
    if what not in FAULTS:
        raise InvalidArguments(f"{text!r}: no fault is called {what!r}; there are: {', '.join(FAULTS)}")
    wanted: dict[str, Any] = {"at": float(moment[1]), "what": what}
    for value in values:
        name, read = _value(value, what)
        if name not in FAULTS[what].takes:
            raise InvalidArguments(f"{text!r}: {what} takes no {name}; leave out {value!r}")
        if name in wanted:
            raise InvalidArguments(f"{text!r}: {name} stands there twice; keep one of the two")
        wanted[name] = read
    try:
        return Condition.model_validate(wanted)
    except ValidationError as error:
        raise InvalidArguments(f"{text!r}: {in_words(error)}") from error


def written(condition: Condition) -> str:
    """Return the text of a condition. `parsed` makes the same condition from it."""
    takes = FAULTS[condition.what].takes
    values: list[str] = [condition.lane] if "lane" in takes and condition.lane else []
    values += [str(getattr(condition, name)) for name in ("workers", "calls") if name in takes]
    values += [f"{plain(condition.seconds)}s"] if "seconds" in takes else []
    return ":".join([f"{plain(condition.at)}s", condition.what, *values])


def plain(number: float) -> str:
    """Return a number without an exponent, and a whole number without a point."""
    return format(Decimal(repr(number)), "f").removesuffix(".0")


def _value(value: str, what: str) -> tuple[str, Any]:
    """Return the name and the value of a part of the text. Its form tells the name."""
    if _NUMBER.fullmatch(value):
        return ("workers" if what == "scale" else "calls"), int(value)
    if seconds := _SECONDS.fullmatch(value):
        return "seconds", float(seconds[1])
    return "lane", value
