"""What a dead letter is, and how each lane's messages are read, whatever is wrong with them.

Going through the queues they lie in is the same for both lanes (`letter_queue.py`); reading is not, because a Celery
message and one of our own differ.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pika.spec import BasicProperties

from api.schemas import RUN_ID
from cars_bot.boundary import arguments
from cars_bot.catalogue import job_named
from cars_bot.errors import CarsBotError

UNDECODABLE = "undecodable: "


@dataclass(frozen=True)
class Letter:
    """One dead letter.

    Attributes:
        id: its run's id; what cannot be read is called by a hash of itself, for it may say any run's id.
        run_id: as the message says; None if it names none.
        queue: where it was to be delivered, as the catalogue calls it.
        reason: why it is dead, as far as the message says it.
        died_at: when the broker put it here, in seconds since 1970, if the message says it.
        args: the job's arguments by name; None if they cannot be read, and then it cannot be replayed.
    """

    lane: str
    id: str
    run_id: str | None
    job: str | None
    queue: str
    reason: str
    retries: int
    died_at: float | None
    args: dict[str, Any] | None
    properties: BasicProperties
    body: bytes


class Unreadable(CarsBotError):
    """The message is no run; the error says why."""


# ---------------------------------------------------------------- reading a message


def _read_celery(properties: BasicProperties, body: bytes) -> tuple[Any, Any, Callable[[], dict[str, Any]]]:
    """A Celery message (protocol 2): the headers name the task, the body is [positional, named, the rest]."""
    headers = properties.headers or {}
    task = headers.get("task")

    def args() -> dict[str, Any]:
        positional, named, _rest = _json(properties, body)
        return job_named(str(task)).named(*positional, **named)

    return headers.get("id"), task, args


def _read_raw(properties: BasicProperties, body: bytes) -> tuple[Any, Any, Callable[[], dict[str, Any]]]:
    """A message of the hand-written lane: the properties name the job, the body is its arguments."""

    def args() -> dict[str, Any]:
        if str(reason := (properties.headers or {}).get("reason")).startswith(UNDECODABLE):
            raise Unreadable(str(reason).removeprefix(UNDECODABLE))  # a worker has found that already
        named = _json(properties, body)
        return job_named(str(properties.type)).named(**named)

    return properties.message_id, properties.type, args


READERS = {"celery": _read_celery, "raw": _read_raw}


def _json(properties: BasicProperties, body: bytes) -> Any:
    if properties.content_type != "application/json":
        raise Unreadable(f"content type {properties.content_type!r}, only application/json is read")
    return json.loads(body)


def read(lane: str, routing_key: str, properties: BasicProperties, body: bytes) -> Letter:
    """Say what a message among the dead letters of `lane` is; whatever is wrong with it, this does not fail."""
    headers = properties.headers or {}
    run_id, job, read_args = READERS[lane](properties, body)
    if not (isinstance(run_id, str) and re.fullmatch(RUN_ID, run_id)):
        run_id = None
    try:
        args: dict[str, Any] | None = read_args()
        arguments.check(args or {})  # what no answer can hold shall not hide all the other letters
        trouble = "" if run_id else f"{UNDECODABLE}it has no run id"
    except (CarsBotError, ValueError, TypeError, RecursionError) as error:
        args, trouble = None, f"{UNDECODABLE}{error}"
    return Letter(
        lane=lane,
        id=run_id if run_id and args is not None else _name(properties, body),
        run_id=run_id,
        job=job if isinstance(job, str) else None,
        queue=routing_key.rpartition(".")[2],  # on its way through delay levels the key had their digits before it
        reason=str(headers.get("reason") or trouble or headers.get("x-first-death-reason") or "unknown"),
        retries=headers["retries"] if isinstance(headers.get("retries"), int) else 0,
        died_at=_died_at(headers.get("x-death")),
        args=args if run_id else None,
        properties=properties,
        body=body,
    )


def _died_at(deaths: Any) -> float | None:
    """When the broker put it here, by the header it adds itself; a stranger may have written anything into it."""
    if not (isinstance(deaths, list) and deaths and isinstance(deaths[0], dict)):
        return None
    died = deaths[0].get("time")
    return died.replace(tzinfo=UTC).timestamp() if isinstance(died, datetime) else None


def _name(properties: BasicProperties, body: bytes) -> str:
    return f"message-{hashlib.sha256(repr(vars(properties)).encode() + body).hexdigest()[:16]}"
