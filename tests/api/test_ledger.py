"""The ledger's writer, against a real Redis."""

import threading
import uuid
from collections.abc import Iterator

import pytest

from cars_bot import ledger
from cars_bot.settings import settings


@pytest.fixture
def writer(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ledger._Writer]:
    """This process's writer, with a Redis. Its thread never wakes, and the tests flush by hand."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    settings.cache_clear()
    writer = ledger._Writer()
    monkeypatch.setattr(ledger, "_writer", writer)
    monkeypatch.setattr(writer, "wake", type("Asleep", (threading.Event,), {"set": lambda self: None})())
    yield writer
    settings.cache_clear()


def written(run: str) -> list[ledger.Event]:
    return [event for event in ledger.history(ledger.connect()) if event.run == run]


def test_a_batch_arrives_whole_and_in_order(writer: ledger._Writer) -> None:
    run = str(uuid.uuid4())
    for number in range(1_203):
        ledger.record("started", run, "raw", worker="w", attempt=number)
    ledger.flush()

    assert [event.attempt for event in written(run)] == list(range(1_203))


def test_half_an_emoji_in_an_error_costs_a_question_mark_and_not_the_batch(writer: ledger._Writer) -> None:
    run = str(uuid.uuid4())
    for detail in ("🚗 «до»", "cut in two: \ud83d", "after"):
        ledger.record("failed", run, "raw", detail=detail)
    ledger.flush()

    assert [event.detail for event in written(run)] == ["🚗 «до»", "cut in two: ?", "after"]


def test_what_comes_while_a_batch_is_written_waits_for_the_next(
    writer: ledger._Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = 0

    def append_and_get_more(**_: object) -> None:
        nonlocal batches
        batches += 1
        ledger.record("started", "meanwhile", "raw")

    monkeypatch.setattr(writer, "append", append_and_get_more)
    ledger.record("started", "first", "raw")
    ledger.flush()

    assert batches == 1
    assert [fields[5] for fields in writer.pending] == ["meanwhile"]
