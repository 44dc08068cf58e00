"""Messages for the tests of the dead letters: good ones, as each lane sends them, and broken or harmful ones."""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pika
from dotenv import dotenv_values

from cars_bot import runs
from tests.kit import Kit, until

JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
EXCHANGES = {"celery": "cars_bot", "raw": "raw.jobs"}
PROGRAMS = {"celery": "celery_worker", "raw": "consumer"}
Message = tuple[dict[str, Any], bytes]


@contextmanager
def channel(kit: Kit) -> Iterator[Any]:
    """A channel on its own connection."""
    url = dotenv_values(kit.run_dir / "kit.env")["RMQ_URL"]
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def send(kit: Kit, exchange: str, key: str, *messages: Message, **more: Any) -> None:
    """Publish messages, each given as properties and body."""
    with channel(kit) as out:
        for properties, body in messages:
            out.basic_publish(exchange, key, body, pika.BasicProperties(**properties, **more))


def bury(kit: Kit, lane: str, *messages: Message) -> None:
    """Publish messages straight to the dead letters, as if they came from the queue `default`."""
    send(kit, f"{lane}.dead", "default", *messages)


def message(lane: str, run_id: str, job: str = "process_task", **args: Any) -> Message:
    """A run's message as the lane publishes it."""
    if lane == "raw":
        return {**JSON, "message_id": run_id, "type": job}, json.dumps(args).encode()
    headers = {"id": run_id, "task": job, "lang": "py", "retries": 0, "timelimit": [None, None]}
    return {**JSON, "correlation_id": run_id, "headers": headers}, json.dumps([[], args, {}]).encode()


def letters(kit: Kit, lane: str) -> list[dict[str, Any]]:
    """The dead letters of a lane, as the API lists them."""
    reply = kit.http.get("/api/dead-letters", params={"lane": lane, "limit": 200})
    assert reply.status_code == 200, reply.text
    listed: list[dict[str, Any]] = reply.json()["letters"]
    return listed


def listed(kit: Kit, lane: str, run_id: str, seconds: float = 15.0) -> dict[str, Any]:
    """Wait for a run's letter and return it."""
    found: dict[str, Any] = until(
        lambda: next((each for each in letters(kit, lane) if each["run"] == run_id), None),
        seconds, f"the letter of {run_id}",
    )  # fmt: skip
    return found


class CreatesAFile:
    """An object that creates a file when it is unpickled. A stranger's code would run in the same way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def strange(lane: str, trap: Path) -> dict[str, Message]:
    """Messages that are not runs. Some of them try to do harm. `trap` is created if anything reads a pickle."""
    good, body = message(lane, runs.new_id(), timeout=0, task_num=1)
    pickled = pickle.dumps([[], {"x": CreatesAFile(trap)}, {}] if lane == "celery" else {"x": CreatesAFile(trap)})
    a_pickle = {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
    cases: dict[str, Message] = {
        "a pickle": (good | a_pickle, pickled),
        "a pickle without headers": (a_pickle, pickled),
        "a pickle that says it is JSON": (good, pickled),
        "no content type": (good | {"content_type": None}, body),
        "garbage": (good, b"\x80\xff\x00"),
        "half a body": (good, body[:-3]),
        "nested very deeply": (good, b"[" * 100_000 + b"]" * 100_000),
        "nothing but a body": ({}, body),
        "a body that is a number": (good, b"1"),
        "a body of another shape": (good, b'["x"]'),
    }
    if lane == "celery":
        for case, headers in HEADERS.items():
            own_id = {"id": runs.new_id()}
            cases[case] = good | {"headers": good["headers"] | own_id | headers}, body
    else:
        cases["an unknown job"] = good | {"type": "no_such_job"}, body
        cases["no id"] = good | {"message_id": None}, body
    return cases


# Each of these kills Celery's worker, again at every delivery, unless the kit keeps the message away from it.
HEADERS: dict[str, dict[str, Any]] = {
    "an unknown job": {"task": "no_such_job"},
    "no id": {"id": None},
    "an id that is none": {"id": 5},
    "an id that is too long": {"id": "x" * 300},
    "a job that is a list": {"task": ["process_task"]},
    "limits that are none": {"timelimit": "soon"},
    "retries that are none": {"retries": "many"},
}


def hostile(lane: str) -> list[Message]:
    """Letters that try to break the program that lists them. Each is a good message with one defect."""
    good, body = message(lane, runs.new_id(), **{"task_num": 1, "timeout": 0})

    def with_args(text: bytes) -> Message:
        return good, b"[[], " + text + b", {}]" if lane == "celery" else text

    headers = good.get("headers", {})
    return [
        *(
            (good | {"headers": headers | {"x-death": forged}}, body)
            for forged in ("today", [], ["x"], [{"time": "x"}])
        ),
        with_args(b'{"task_num": NaN}'),
        with_args(b'{"task_num": "\\ud800"}'),
        with_args(b'{"self": 1, "": 2}'),
        with_args(b'{"x": ' + b"[" * 500 + b"]" * 500 + b"}"),
        with_args(b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        with_args(b'{"x": ' + b"9" * 5_000 + b"}"),
        (good | {"headers": headers | {"reason": {"a": [Decimal("1.5"), None]}, "retries": "x", "task": [1]}}, body),
        ({}, b""),
    ]
