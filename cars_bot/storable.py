"""Characters that a database refuses, replaced in the one place where rows are written.

A model's answer may end in half an emoji, a page's title may hold a NUL. Neither is worth a run: each such character
becomes U+FFFD, the sign for one that could not be read.
"""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

REPLACEMENT = "\ufffd"


def text(words: str) -> str:
    """The same words without NUL and without halves of characters."""
    whole = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not words.isascii() else words
    return whole.replace("\0", REPLACEMENT)


def as_json(value: Any) -> str:
    """The value as JSON text that every database takes; NaN and infinity become null.

    Raises:
        PydanticSerializationError, ValueError: it is no JSON value.
    """
    try:
        told = to_json(value, inf_nan_mode="null").decode()
    except PydanticSerializationError:
        return to_json(_cleaned(value), inf_nan_mode="null").decode()
    return to_json(_cleaned(json.loads(told)), inf_nan_mode="null").decode() if r"\u0000" in told else told


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in value]
    return value
