"""The messages of a comparison: plain values without secrets, and the same job on the other lane."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cars_bot.comparisons.messages import HIDDEN, LONGEST_BODY, twins, without_secrets


@pytest.mark.parametrize(
    "args",
    [
        {"password": "hunter22"},
        {"deep": [{"openai_api_key": "hunter22"}]},
        {"Authorization": {"any": ["hunter22"]}},
        {"url": "amqp://user:hunter22@broker:5672/"},
    ],
)
def test_a_secret_is_hidden_wherever_it_stands(args: dict[str, Any]) -> None:
    headers = {"kwargsrepr": repr(args), "id": "1"}

    shown = without_secrets({"content_type": "application/json"}, headers, json.dumps([[], args, {}]).encode())

    assert "hunter22" not in json.dumps(shown)
    assert HIDDEN in shown["body"]
    assert HIDDEN in shown["headers"]["kwargsrepr"]
    assert (shown["headers"]["id"], shown["properties"]) == ("1", {"content_type": "application/json"})


def test_a_number_can_be_a_secret_too_but_a_common_short_value_hides_nothing_else() -> None:
    shown = without_secrets({}, {"token": 424242, "retries": 1}, b'{"pin_token": 1, "count": 1, "n": 424242}')

    assert shown["headers"] == {"token": HIDDEN, "retries": 1}
    assert shown["body"] == '{"pin_token": 1, "count": 1, "n": ' + HIDDEN + "}"


def test_values_of_amqp_become_values_of_json() -> None:
    odd = {"bytes": b"\xff\x00", "date": datetime(2030, 1, 1, tzinfo=UTC), "price": Decimal("1.5"), "none": None}

    shown = without_secrets({"timestamp": 5}, {"odd": odd, "list": (1, b"x")}, b"\xff{")

    assert json.loads(json.dumps(shown)) == shown
    assert shown["headers"]["list"] == [1, "x"]
    assert shown["body"] == "\ufffd{"


def test_a_long_body_is_cut() -> None:
    assert len(without_secrets({}, {}, b"x" * (LONGEST_BODY + 1))["body"]) == LONGEST_BODY


RUNS = [
    {"id": "c1", "submission": "c1", "lane": "celery", "job": "process_post"},
    {"id": "r1", "submission": "r1", "lane": "raw", "job": "process_post"},
    {"id": "c2", "submission": "c2", "lane": "celery", "job": "process_post"},
    {"id": "i1", "submission": "i1", "lane": "inline", "job": "process_post"},
    {"id": "r2", "submission": "r2", "lane": "raw", "job": "process_post"},
    {"id": "r3", "submission": "r2", "lane": "raw", "job": "publish_post"},
    {"id": "c3", "submission": "c2", "lane": "celery", "job": "publish_post"},
]


@pytest.mark.parametrize(
    ("run", "others"),
    [("c1", ["r1", "i1"]), ("c2", ["r2"]), ("c3", ["r3"]), ("r3", ["c3"]), ("i1", ["c1", "r1"]), ("other", [])],
)
def test_the_same_job_on_the_other_lanes_is_the_same_step_of_the_same_submission(run: str, others: list[str]) -> None:
    assert twins(RUNS, run) == others
