"""What a job's arguments may be. Who accepts a run and who receives its message ask here, so they never disagree.

An argument is JSON and nothing more: Python's parser also lets NaN and half of a character through, and neither
can be stored or sent. Everything is measured as it travels, in bytes of UTF-8, whatever encoding it came in.
"""

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from cars_bot.errors import InvalidArguments

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32  # lists and objects within each other, the object of the arguments included


def check(args: Mapping[str, Any]) -> None:
    """Refuse arguments that cannot travel.

    Raises:
        InvalidArguments: they are no JSON, too deep or too large; the message says which, and what is right.
    """
    check_shape(args)
    if (size := len(to_json(args))) > MAX_BYTES:
        raise InvalidArguments(f"the arguments are {size:,} bytes of JSON; at most {MAX_BYTES:,} fit into a message")


def check_shape(value: Any, levels: int = MAX_DEPTH) -> None:
    """The same without the size, for who has counted the bytes already: any JSON value, at most `levels` deep.

    Raises:
        InvalidArguments: see `check`.
    """
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if levels == 0:
            raise InvalidArguments(f"the arguments are nested too deeply; at most {MAX_DEPTH} levels are accepted")
        for inner in value.values() if isinstance(value, dict) else value:
            check_shape(inner, levels - 1)
        if isinstance(value, dict):
            for name in value:
                _check_text(name)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidArguments(f"the arguments hold {value}, which is no number of JSON; leave it out or send null")
    elif value is not None and not isinstance(value, int | float):
        raise InvalidArguments(f"the arguments hold a {type(value).__name__}; send text, numbers, lists or objects")


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise InvalidArguments(f"a name in the arguments is a {type(text).__name__}; names are text")
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise InvalidArguments("a text in the arguments holds half of a character; send whole characters") from None
