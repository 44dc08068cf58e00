"""Texts and numbers from outside, before their use: `cars_bot/boundary/outside.py`."""

from datetime import timedelta
from typing import Any

import pytest

from cars_bot.boundary import outside
from cars_bot.errors import Permanent


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("half \ud83d", "half \ufffd"),
        ("\udc00\x00", "\ufffd\ufffd"),
        ("whole 🚗 and ümlaut", "whole 🚗 and ümlaut"),
        ("\x00", "\ufffd"),
    ],
)
def test_what_no_database_takes_is_replaced(text: str, clean: str) -> None:
    assert outside.clean(text) == clean
    assert outside.cleaned({text: [text, {"inner": text}], "n": 1.5}) == {
        clean: [clean, {"inner": clean}],
        "n": 1.5,
    }


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        (7, 7.0), ("7", 7.0), ("1.5", 1.5), (0, 0.0), (timedelta(seconds=3), 3.0),
        (10**12, 3600.0), (10**400, 5.0), ("1e999", 5.0), (-1, 5.0), ("-1", 5.0),
        (float("nan"), 5.0), ("nan", 5.0), (float("inf"), 5.0), ("soon", 5.0), ("", 5.0), (None, 5.0), (True, 5.0),
        ([1], 5.0), ("1, 2", 5.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0), ("Thu, 01 Jan 1970 00:00:30 GMT", 5.0),
        ("Thu, 01 Jan 9999 00:00:00 GMT", 3600.0), ("Thu, 99 Jan 1970 00:00:00 GMT", 5.0),
    ],
)  # fmt: skip
def test_a_wait_is_a_number_of_seconds_up_to_an_hour_whatever_was_said(told: Any, waits: float) -> None:
    assert outside.seconds(told, otherwise=5.0, now=60.0) == waits


def test_milliseconds_come_before_seconds() -> None:
    assert outside.told_to_wait({"retry-after-ms": "1500", "retry-after": "9"}, 5.0) == 1.5
    assert outside.told_to_wait({"retry-after-ms": "-3", "retry-after": "9"}, 5.0) == 9.0
    assert outside.told_to_wait({}, 5.0) == 5.0


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        ("5, 10", 10.0), ("soon, 4", 4.0), ("-1, x", 5.0), ("Thu, 01 Jan 2026 00:01:40 GMT", 100.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT, Thu, 01 Jan 2026 00:00:50 GMT", 50.0),
        ("Thu, 01 Jan 2026 00:00:09 GMT, 7", 9.0),
    ],
)  # fmt: skip
def test_of_several_waits_the_longest_counts_and_a_date_by_the_servers_own_clock(told: str, waits: float) -> None:
    headers = {"retry-after": told, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert outside.told_to_wait(headers, otherwise=5.0) == waits


@pytest.mark.parametrize("value", [None, True, "1", 1.0, 0, -1, 2**63, [1]])
def test_an_id_is_a_whole_number_that_a_database_holds(value: Any) -> None:
    assert outside.whole(value) is None
    assert outside.whole(2**63 - 1) == 2**63 - 1


def test_a_text_too_long_for_its_place_is_named() -> None:
    assert outside.fitting("a" * 128, 128, "a name") == "a" * 128
    with pytest.raises(Permanent, match="row 3, column 'title' has 129 characters; at most 128 fit"):
        outside.fitting("a" * 129, 128, "row 3, column 'title'")
