"""Envelope: a run as AMQP properties and a JSON body, and back again.

    message_id    the run's id               content_type   application/json, and nothing else is accepted
    type          the job's name             delivery_mode  2: written to disk
    priority      0 to the queue's highest   timestamp      when it was accepted, in seconds
    app_id        the sender                 headers        retries: returns so far; reason: of a dead letter;
                                                            steps: the following steps of its workflow

The body holds the job's arguments by name. JSON carries data only; a pickle carries code.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pika
from pydantic_core import from_json, to_json

from cars_bot import workflow
from cars_bot.boundary import arguments
from cars_bot.catalogue import job_named
from cars_bot.context import Delivery
from cars_bot.errors import CarsBotError, InvalidArguments, UnknownJob
from cars_bot.runs import Run
from raw_consumer import topology
from raw_consumer.setup.mended_pika import UNREADABLE

APP_ID = "cars_bot"
JSON_TYPE = "application/json"
PERSISTENT = 2
OURS = ("message_id", "type", "content_type", "content_encoding", "priority", "app_id", "timestamp")


class UndecodableMessage(CarsBotError):
    """The message is foreign or damaged. A retry would not help, so it becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish."""

    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes


@dataclass(slots=True)
class Received:
    """A message, and the generation of the connection to which its delivery tag belongs."""

    generation: int
    queue: str
    method: pika.spec.Basic.Deliver
    properties: pika.BasicProperties
    body: bytes
    at: float  # its arrival, in seconds since 1970
    _read: Delivery | None = None

    def delivery(self) -> Delivery:
        """The message as the function `delivery` reads it. It is read once."""
        if self._read is None:
            self._read = delivery(self.properties, self.body, self.method.redelivered, self.at)
        return self._read


def message(run: Run, now: float) -> Message:
    """The message for an accepted run, delivered when the run is due. `now` is in seconds since 1970."""
    properties = pika.BasicProperties(
        # feature: workflow
        headers={"steps": run.steps} if run.steps else None,
        # end
        message_id=run.id,
        type=run.job,
        content_type=JSON_TYPE,
        delivery_mode=PERSISTENT,
        # feature: priorities
        priority=run.priority,
        # end
        app_id=APP_ID,
        timestamp=int(run.accepted_at),
    )
    return Message(*topology.route(run.queue, run.due_at - now), properties, to_json(run.args))


# feature: JSON only, validated
def delivery(properties: pika.BasicProperties, body: bytes, redelivered: bool, received_at: float = 0.0) -> Delivery:
    """Read a received message.

    Raises:
        UndecodableMessage: it is no run of a known job; the error says why.
    """
    headers = properties.headers or {}
    if UNREADABLE in headers:
        raise UndecodableMessage(f"its headers cannot be read: {headers[UNREADABLE]}")
    if properties.content_type != JSON_TYPE:
        raise UndecodableMessage(f"content type {properties.content_type!r}, only {JSON_TYPE} is read")
    if properties.content_encoding not in (None, "utf-8") or "compression" in headers:
        raise UndecodableMessage("its body is packed or in another encoding; only plain utf-8 is read")
    if len(body) > arguments.MAX_BYTES:
        raise UndecodableMessage(f"{len(body):,} bytes, over {arguments.MAX_BYTES:,}")
    try:
        run_id = str(uuid.UUID(properties.message_id))
        job = job_named(properties.type or "")
        args = from_json(body, allow_inf_nan=False)
        steps = workflow.from_message(headers.get("steps"))
    except (ValueError, TypeError, AttributeError, RecursionError, UnknownJob) as error:
        raise UndecodableMessage(f"its id, job, steps or body are damaged or nested too deeply: {error}") from error
    if not isinstance(args, dict):
        raise UndecodableMessage("the body is not one object, the arguments by name")
    try:
        arguments.check_shape(args)
    except InvalidArguments as error:
        raise UndecodableMessage(str(error)) from error
    return Delivery(run_id, job.name, args, "raw", redelivered, steps, received_at=received_at)


# end


# feature: retries with backoff and jitter
def retry(properties: pika.BasicProperties, body: bytes, queue: str, after: float) -> Message:
    """The same message, delivered to `queue` again after `after` seconds."""
    retries = _count(properties.headers) + 1
    return Message(*topology.route(queue, after), _copy(properties, {"retries": retries}), body)


# end


def dead_letter(properties: pika.BasicProperties, body: bytes, queue: str, reason: str) -> Message:
    """The same message as a dead letter with its reason. Its routing key names its queue."""
    headers = {"retries": _count(properties.headers), "reason": reason[:500]}
    return Message(topology.DEAD, queue, _copy(properties, headers), body)


def _count(headers: Mapping[str, Any] | None) -> int:
    count = (headers or {}).get("retries", 0)
    return count if isinstance(count, int) else 0


def _copy(properties: pika.BasicProperties, headers: dict[str, Any]) -> pika.BasicProperties:
    """Our properties with new headers. With the broker's x-death, a delay queue could look like a circle: left out."""
    ours = {name: getattr(properties, name) for name in OURS}
    steps = {"steps": steps} if (steps := (properties.headers or {}).get("steps")) else {}
    return pika.BasicProperties(**ours, delivery_mode=PERSISTENT, headers=headers | steps)
