"""Dead letter: one message of `celery.dead` or `raw.dead`, read as far as it can be read.

Celery's messages and our own differ, so each lane has its own reader here. The queues of both lanes are handled in the
same way, by `letter_queue.py`.
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
        `id`: The id of its run. An unreadable letter is named by its hash, because it can claim any run's id.
        `run_id`: The run id in the message, or None.
        `queue`: The queue that the message was for, by its name in the catalogue.
        `reason`: The cause of death, as far as the message has it.
        `died_at`: The time of death in seconds since 1970, if the message has it.
        `args`: The job's arguments by name, or None if they cannot be read. Without them there is no replay.
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
    """The message holds no run that could be replayed; the error has the reason."""


# ---------------------------------------------------------------- reading a message


def _read_celery(properties: BasicProperties, body: bytes) -> tuple[Any, Any, Callable[[], dict[str, Any]]]:
    """Read a Celery message (protocol 2): the headers name the task, the body is [positional, named, the rest]."""
    headers = properties.headers or {}
    task = headers.get("task")

    def args() -> dict[str, Any]:
        positional, named, _rest = _json(properties, body)
        return job_named(str(task)).named(*positional, **named)

    return headers.get("id"), task, args


def _read_raw(properties: BasicProperties, body: bytes) -> tuple[Any, Any, Callable[[], dict[str, Any]]]:
    """Read a message of the hand-written lane: the properties name the job, the body is its arguments."""

    def args() -> dict[str, Any]:
        if str(reason := (properties.headers or {}).get("reason")).startswith(UNDECODABLE):
            raise Unreadable(str(reason).removeprefix(UNDECODABLE))  # a worker has found this error already
        named = _json(properties, body)
        return job_named(str(properties.type)).named(**named)

    return properties.message_id, properties.type, args


READERS = {"celery": _read_celery, "raw": _read_raw}


def _json(properties: BasicProperties, body: bytes) -> Any:
    if properties.content_type != "application/json":
        raise Unreadable(f"content type {properties.content_type!r}, only application/json is read")
    return json.loads(body)


def read(lane: str, routing_key: str, properties: BasicProperties, body: bytes) -> Letter:
    """Return a dead message of `lane` as a letter. This never fails: `reason` has the errors in the message."""
    headers = properties.headers or {}
    run_id, job, read_args = READERS[lane](properties, body)
    if not (isinstance(run_id, str) and re.fullmatch(RUN_ID, run_id)):
        run_id = None
    try:
        args: dict[str, Any] | None = read_args()
        arguments.check(args or {})  # arguments that no answer can hold must not hide all other letters
        trouble = "" if run_id else f"{UNDECODABLE}it has no run id"
    except (CarsBotError, ValueError, TypeError, RecursionError) as error:
        args, trouble = None, f"{UNDECODABLE}{error}"
    return Letter(
        lane=lane,
        id=run_id if run_id and args is not None else _name(properties, body),
        run_id=run_id,
        job=job if isinstance(job, str) else None,
        queue=routing_key.rpartition(".")[2],  # the delay queues put their digits before the name
        reason=str(headers.get("reason") or trouble or headers.get("x-first-death-reason") or "unknown"),
        retries=headers["retries"] if isinstance(headers.get("retries"), int) else 0,
        died_at=_died_at(headers.get("x-death")),
        args=args if run_id else None,
        properties=properties,
        body=body,
    )


def _died_at(deaths: Any) -> float | None:
    """Return the time in the broker's own header `x-death`, or None. A foreign program can write anything into it."""
    if not (isinstance(deaths, list) and deaths and isinstance(deaths[0], dict)):
        return None
    died = deaths[0].get("time")
    return died.replace(tzinfo=UTC).timestamp() if isinstance(died, datetime) else None


def _name(properties: BasicProperties, body: bytes) -> str:
    return f"message-{hashlib.sha256(repr(vars(properties)).encode() + body).hexdigest()[:16]}"
