"""Messages that may reach Celery's worker: only those of the shape on which it relies without a check."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app.amqp import AMQP
from kombu import Message

from cars_bot import runs
from celery_app import celery_app
from celery_parts.message_check import why_no_task
from tests.contract.dead_letters import message, strange

WORKER_FINDS_OUT = {"an unknown job"}  # Celery itself rejects it


def received(properties: dict[str, Any], body: bytes) -> Message:
    """A message as Celery's consumer gets it."""
    return Message(
        body=body,
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        headers=properties.get("headers", {}),
        accept={"application/json"},
        channel=SimpleNamespace(),
    )


def test_what_celery_sends_is_a_task() -> None:
    sent = AMQP(celery_app).as_task_v2(runs.new_id(), "process_task", (1,), {"timeout": 0}, time_limit=3, countdown=1)
    properties = {"content_type": "application/json", "content_encoding": "utf-8", "headers": sent.headers}

    assert not why_no_task(received(properties, json.dumps(sent.body).encode()))
    assert not why_no_task(received(*message("celery", runs.new_id())))


def test_what_would_kill_the_worker_or_be_lost_is_none(tmp_path: Path) -> None:
    trap = tmp_path / "a pickle was read"
    for case, sent in strange("celery", trap).items():
        assert (not why_no_task(received(*sent))) == (case in WORKER_FINDS_OUT), case
    assert not trap.exists()


@pytest.mark.parametrize("limits", [[math.nan, None], [math.inf, None], [None, -math.inf], [0, 1], [1, -1], [True, 1]])
def test_a_limit_is_a_number_of_seconds_above_zero(limits: list[Any]) -> None:
    properties, body = message("celery", runs.new_id())

    assert why_no_task(received(properties | {"headers": properties["headers"] | {"timelimit": limits}}, body))
