"""Lines of a log, on both lanes: a job's text can neither end a line nor begin another."""

import logging
import sys

import pytest

from cars_bot.boundary.log_lines import escaped
from celery_parts.logs import LOG_FORMAT, OneLineFormatter
from raw_consumer.setup.logs import KeyValueFormatter

FORMATTERS = {"celery": OneLineFormatter(LOG_FORMAT, use_color=False), "raw": KeyValueFormatter("w")}
FORGED = "time=2026-01-01T00:00:00 level=INFO run=x message=forged"
BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]


def record(text: str, *, raised: str = "") -> logging.LogRecord:
    info = None
    if raised:
        try:
            raise ValueError(raised)
        except ValueError:
            info = sys.exc_info()
    return logging.LogRecord("job", logging.INFO, __file__, 1, "result %s", (text,), info)


@pytest.mark.parametrize("lane", FORMATTERS)
@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_no_text_begins_a_line(lane: str, line_break: str) -> None:
    line = FORMATTERS[lane].format(record(f"done{line_break}{FORGED}"))

    assert len(line.splitlines()) == 1, line
    assert "forged" in line


@pytest.mark.parametrize("lane", FORMATTERS)
@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_nor_does_the_text_of_an_error(lane: str, line_break: str) -> None:
    lines = FORMATTERS[lane].format(record("x", raised=f"no{line_break}{FORGED}")).splitlines()

    assert any("Traceback" in line for line in lines)
    assert [line for line in lines[1:] if line.startswith("time=")] == []


def test_a_terminal_is_neither_painted_nor_turned_nor_refused() -> None:
    assert escaped("\x1b[31m \u202e \ud83d \x07 \x9b") == "\\x1b[31m \\u202e \\ud83d \\x07 \\x9b"


def test_ordinary_words_stay_as_they_are() -> None:
    assert escaped("Тойота\t\U0001f697 1 500 000 ₽") == "Тойота\t\U0001f697 1 500 000 ₽"
