"""Limits of arguments: the same for the code that accepts a run and for the code that receives its message."""

from typing import Any

import pytest
from pydantic_core import to_json

from cars_bot import runs
from cars_bot.boundary import arguments
from cars_bot.errors import InvalidArguments
from celery_parts.message_check import why_no_task
from raw_consumer import envelope
from tests.contract.dead_letters import message
from tests.unit.celery_parts.test_celery_messages import received


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


FITS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "as deep as it goes": {"data": deep(arguments.MAX_DEPTH - 1)},
    "as large as it goes": {"x": "x" * (arguments.MAX_BYTES - len(b'{"x":""}'))},
    "Cyrillic, six bytes a letter in Celery's message": {"x": "ж" * 500_000},
    "whole characters of every kind": {"emoji": "\U0001f697", "NUL": "\0", "": [None, True, 1.5, 10**30]},
}
DOES_NOT: dict[str, dict[str, Any]] = {
    "a level deeper": {"data": deep(arguments.MAX_DEPTH)},
    "300 levels": {"data": deep(300)},
    "a byte larger": {"x": "x" * (arguments.MAX_BYTES + 1 - len(b'{"x":""}'))},
    "characters of three bytes": {"message": "車" * 499_900},
    "NaN": {"x": [float("nan")]},
    "infinity": {"x": float("-inf")},
    "half a character": {"x": "\ud83d"},
    "half a character in a name": {"\ud83d": 1},
    "bytes": {"x": b"x"},
}


@pytest.mark.parametrize("case", FITS)
def test_what_fits_is_accepted_and_read_by_both_lanes(case: str) -> None:
    arguments.check(FITS[case])

    properties, _ = message("raw", runs.new_id(), "debug_task")
    assert envelope.delivery(_pika(properties), to_json(FITS[case]), False).args == FITS[case]
    assert not why_no_task(received(*message("celery", runs.new_id(), "debug_task", **FITS[case])))


@pytest.mark.parametrize("case", DOES_NOT)
def test_what_does_not_is_refused_by_who_accepts_and_by_both_lanes(case: str) -> None:
    with pytest.raises(InvalidArguments):
        arguments.check(DOES_NOT[case])
    if case == "bytes":  # JSON cannot express bytes
        return
    properties, body = message("raw", runs.new_id(), "debug_task", **DOES_NOT[case])
    if case != "characters of three bytes":  # Python's JSON, which `message` writes, has six bytes for each character
        body = body.replace(b'": "', b'":"')
    with pytest.raises(envelope.UndecodableMessage):
        envelope.delivery(_pika(properties), body, False)
    assert why_no_task(received(*message("celery", runs.new_id(), "debug_task", **DOES_NOT[case])))


def _pika(properties: dict[str, Any]) -> Any:
    import pika

    return pika.BasicProperties(**properties)
