"""Arguments of a job: the rules for them.

The API checks them when it accepts a run, and a worker checks them when it receives the message. Both use this
module, so they never disagree.

An argument is JSON and nothing more. Python's parser also accepts NaN and lone surrogates (half an emoji). The kit can
neither store nor send them. The size counts as it travels: in bytes of UTF-8, whatever the encoding of the request was.
"""

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from cars_bot.errors import InvalidArguments

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32  # nested lists and objects; the outermost object counts as one


def check(args: Mapping[str, Any]) -> None:
    """Refuse arguments that cannot travel.

    Raises:
        InvalidArguments: they are not JSON, too deep or too large. The message says which, and what to send instead.
    """
    check_shape(args)
    if (size := len(to_json(args))) > MAX_BYTES:
        raise InvalidArguments(f"the arguments are {size:,} bytes of JSON; at most {MAX_BYTES:,} fit into a message")


def check_shape(value: Any, levels: int = MAX_DEPTH) -> None:
    """Refuse a value that is not JSON or is nested more than `levels` deep.

    The size is not checked. Use this where the bytes are already counted.

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
        raise InvalidArguments(f"the arguments hold {value}, which is not a JSON number; leave it out or send null")
    elif value is not None and not isinstance(value, int | float):
        raise InvalidArguments(f"the arguments hold a {type(value).__name__}; send text, numbers, lists or objects")


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise InvalidArguments(f"a name in the arguments is a {type(text).__name__}; make it a text")
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise InvalidArguments(
            "a text in the arguments holds a lone surrogate (half an emoji); send whole characters"
        ) from None
