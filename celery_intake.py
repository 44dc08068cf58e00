"""How the Celery worker takes messages in: what is no task of ours becomes a dead letter, and that is all it does.

Celery trusts whoever sends to it. It acknowledges, and so loses, a message that it cannot decode. It dies of one whose
headers, body or properties have the wrong shape, and then the broker hands it to the next worker, which dies of it
too. It unpacks a compressed body before anybody has asked how large it is. Three places are mended for that, from the
inside to the outside:

    the library reads the frame      what it cannot read is marked, instead of raised
    kombu makes a message of it      nothing is unpacked: we send nothing that is packed
    Celery is handed the message     `is_task` looks at all that Celery relies on

The first two reach into libraries whose versions are pinned. Only a worker imports this module.
"""

import base64
import logging
import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from struct import unpack_from
from time import sleep
from typing import Any

import amqp.abstract_channel
import amqp.serialization
import kombu.message
import kombu.transport.redis
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu import Connection
from kombu.exceptions import ContentDisallowed

from cars_bot import database
from cars_bot.boundary import arguments
from cars_bot.boundary.log_lines import escaped
from cars_bot.errors import InvalidArguments, NotConfigured, StorageUnavailable
from cars_bot.execution import put_aside
from cars_bot.processes import clock, liveness
from cars_bot.settings import settings
from celery_app import RECEIVED_AT, claim

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CLAIMS = 5.0
RUN_ID_LENGTH = 36  # characters that the runs table keeps of an id
MAX_CARRIED = 15 * arguments.MAX_BYTES  # bytes of a body: a workflow's message holds the arguments once for each step
MAX_TEXT = 256  # characters of a header that Celery reads
UNREADABLE = "unreadable"  # the header that marks a message which the library could not read

# feature: JSON only, validated
# ---------------------------------------------------------------- what the library cannot read


def _properties_or_mark(buffer: Any, offset: int, read: Any = amqp.serialization.decode_properties_basic) -> Any:
    """A date beyond year 9999, a text that is no UTF-8: py-amqp raises, and the worker is gone."""
    try:
        return read(buffer, offset)
    except Exception as error:
        return {"application_headers": {UNREADABLE: repr(error)}}, len(buffer)


def _arguments_or_replaced(format: str, buffer: Any, offset: int = 0, read: Any = amqp.serialization.loads) -> Any:
    """The same for a delivery's exchange and routing key: what is no UTF-8 in them is replaced."""
    try:
        return read(format, buffer, offset)
    except UnicodeDecodeError:
        if not set(format) <= set("sLb"):  # no delivery
            raise
        values: list[Any] = []
        for kind in format:
            if kind == "s":
                length = buffer[offset]
                values.append(bytes(buffer[offset + 1 : offset + 1 + length]).decode(errors="replace"))
                offset += 1 + length
            elif kind == "L":
                values += unpack_from(">Q", buffer, offset)
                offset += 8
            else:  # a bit, alone in its byte
                values.append(bool(buffer[offset]))
                offset += 1
        return values, offset


def _json_or_nothing(text: str, read: Any = kombu.transport.redis.loads) -> Any:
    """In Redis anything can lie in a queue's list."""
    try:
        return read(text)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None


def _deliver_or_mark(
    transport: Any, message: Any, queue: str, deliver: Any = kombu.transport.redis.Transport._deliver
) -> Any:
    """A message over Redis is an object with all of these, or it is marked as one that cannot be read."""
    if not _is_complete(message):
        info = {"exchange": "", "routing_key": queue}
        message = {"body": "", "headers": {UNREADABLE: "it is no message as kombu packs them"},
                   "content-type": None, "content-encoding": None,
                   "properties": {"delivery_tag": str(uuid.uuid4()), "delivery_info": info}}  # fmt: skip
    return deliver(transport, message, queue)


def _is_complete(message: Any) -> bool:
    try:
        properties = message["properties"]
        info, body, encoding = properties["delivery_info"], message["body"], properties.get("body_encoding")
        return (
            all(isinstance(text, str) for text in (properties["delivery_tag"], info["exchange"], info["routing_key"]))
            and isinstance(message["headers"], dict | None)
            and isinstance(body, str)
            and encoding in (None, "utf-8", "base64")
            and (encoding != "base64" or base64.b64decode(body, validate=True) is not None)
        )
    except Exception:  # it may be of any shape at all
        return False


def _unpacks_nothing(_body: bytes, compression: object) -> bytes:
    """A few kilobytes can unpack to gigabytes."""
    raise ContentDisallowed(f"its body is compressed ({str(compression)[:40]}); only plain JSON is read")


amqp.serialization.PROPERTY_CLASSES[amqp.spec.Basic.CLASS_ID] = _properties_or_mark
amqp.abstract_channel.loads = _arguments_or_replaced
kombu.message.decompress = _unpacks_nothing
kombu.transport.redis.loads = _json_or_nothing
kombu.transport.redis.Transport._deliver = _deliver_or_mark


# ---------------------------------------------------------------- what Celery relies on

# The headers that Celery uses as they are, if they are there.
HEADERS: dict[str, type | tuple[type, ...]] = {
    "root_id": str, "parent_id": str, "group": str, "shadow": str, "eta": str, "expires": str, "origin": str,
    "ignore_result": bool, "group_index": int, "replaced_task_nesting": int,
    "stamped_headers": list, "stamps": dict, "timelimit": list,
}  # fmt: skip
MAX_RETRIES = 1_000_000


def why_no_task(message: Any) -> str:
    """What keeps a message from being a task as Celery sends them (its protocol 2); "" if it is one."""
    headers = message.headers
    if not isinstance(headers, dict) or UNREADABLE in headers:
        return f"it cannot be read: {(headers or {}).get(UNREADABLE)}"
    if message.content_encoding not in (None, "utf-8"):
        return f"content encoding {message.content_encoding!r}; only utf-8 is read"
    if len(message.body or "") > MAX_CARRIED:
        return f"{len(message.body):,} bytes, over {MAX_CARRIED:,}"
    run_id = headers.get("id")
    if not (isinstance(headers.get("task"), str) and isinstance(run_id, str) and 0 < len(run_id) <= RUN_ID_LENGTH):
        return "its headers name no task, or no id of 1 to 36 characters"
    for name, kind in HEADERS.items():
        value = headers.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, str) and len(value) > MAX_TEXT)):
            return f"its header {name!r} is {str(value)[:40]!r}"
    if not _are_limits(headers.get("timelimit") or [None, None]):
        return f"its time limits are {str(headers['timelimit'])[:40]}; give seconds above 0, or none"
    retries = headers.get("retries") or 0
    if not (isinstance(retries, int) and 0 <= retries <= MAX_RETRIES):
        return f"its retries are {str(retries)[:40]!r}"
    try:
        return _why_no_body(message.payload, len(message.body))  # decoded once: Celery takes what is decoded here
    except InvalidArguments as error:
        return str(error)
    except Exception as error:
        return f"its body is no JSON: {error!r}"


def is_task(message: Any) -> bool:
    """Whether a message has the shape that Celery relies on without looking."""
    return not why_no_task(message)


def _are_limits(limits: list[Any]) -> bool:
    """The hard one and the soft one. Celery takes 0 for none, and hands a run that is killed at once out again."""
    return len(limits) == 2 and all(
        limit is None or (isinstance(limit, int | float) and limit is not True and math.isfinite(limit) and limit > 0)
        for limit in limits
    )


def _why_no_body(payload: Any, size: int) -> str:
    if not (isinstance(payload, list | tuple) and len(payload) == 3):
        return "its body is not [positional, named, the rest]"
    positional, named, rest = payload
    if not (isinstance(positional, list) and isinstance(named, dict) and isinstance(rest, dict)):
        return "its body is not [positional, named, the rest]"
    arguments.check_shape(named)
    arguments.check_shape(positional)
    if size > arguments.MAX_BYTES:  # Celery writes a Cyrillic letter with six bytes, and the arguments once a step
        arguments.check({"positional": positional, "named": named} if positional else named)
    arguments.check_shape(rest, 2 * arguments.MAX_DEPTH)
    for name in ("callbacks", "errbacks", "chain"):
        if not _are_signatures(rest.get(name) or []):
            return f"{name!r} in its body are no tasks"
    if not _are_signatures([rest["chord"]] if rest.get("chord") else []):
        return "'chord' in its body is no task"
    unknown = rest.keys() - {"callbacks", "errbacks", "chain", "chord"}
    return f"its body has {sorted(unknown)[:3]} beside the arguments" if unknown else ""


def _are_signatures(told: Any) -> bool:
    return isinstance(told, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("task"), str)
        and isinstance(each.get("args") or [], list)
        and all(isinstance(each.get(name) or {}, dict) for name in ("kwargs", "options"))
        for each in told
    )


class CarefulConsumer(Consumer):
    """Celery's consumer, but nothing that is sent to it ends it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Consumer`. Workers need not hear of each other: what that brings in, anybody can send."""
        super().__init__(*args, **options | {"without_gossip": True, "without_mingle": True})

    def connect(self) -> Connection:
        """See `Consumer`. As long as the queues are another kit's, a worker waits and takes nothing."""
        connection = super().connect()
        while True:
            try:
                with liveness.between_forks():
                    claim(connection)
            except (NotConfigured, StorageUnavailable) as error:
                log.error("%s", error)
                maybe_shutdown()  # raises what ends the worker, if it was told to end
                sleep(SECONDS_BETWEEN_CLAIMS)
            else:
                return connection
            finally:
                database.close()  # children are forked later, and must not inherit its connection

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """See `Consumer`."""
        self._put_aside(message, f"it cannot be decoded: {exc}")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """See `Consumer`. The API may know jobs that this worker does not (EXTRA_JOBS)."""
        self._put_aside(message, f"this worker knows no job {str(message.headers.get('task'))[:64]!r}")

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """See `Consumer`."""
        self._put_aside(message, "it names no task")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """See `Consumer`."""
        self._put_aside(message, str(exc))

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """See `Consumer`."""
        handle = super().create_task_handler(*args, **kwargs)
        passed_on = (*self.connection_errors, *self.channel_errors)  # those are answered by a new connection

        def on_task_received(message: Any) -> None:
            if why := why_no_task(message):
                return self._put_aside(message, why)
            go_by_the_shared_clock(message)
            message.headers[RECEIVED_AT] = clock.now()  # the child is told all headers
            try:
                handle(message)
            except passed_on:
                raise
            except Exception as error:  # a header that Celery cannot work with, and that we did not think of
                log.exception("Celery cannot take a message in")
                self._put_aside(message, f"Celery cannot take it in: {error!r}")

        return on_task_received

    def _put_aside(self, message: Any, why: str) -> None:
        """Make a dead letter of a message (over Redis it is gone), and end its run if that waits for this message."""
        why = escaped(why)[:500]
        headers = message.headers if isinstance(getattr(message, "headers", None), dict) else {}
        run_id = headers.get("id")
        log.error("message %s is put aside: %s", str(run_id)[:RUN_ID_LENGTH], why)
        if _needs_no_ack(message) or message.acknowledged:
            return
        with liveness.between_forks():
            put_aside(run_id, "celery", why, str(settings().worker_name or self.hostname))
        message.reject_log_error(log, self.connection_errors)


def _needs_no_ack(message: Any) -> bool:
    """Remote control is not acknowledged; to reject it all the same would close the channel."""
    consumers = getattr(message.channel, "no_ack_consumers", None) or ()
    return (message.delivery_info or {}).get("consumer_tag") in consumers


# end
# feature: countdown/ETA
def go_by_the_shared_clock(message: Any) -> None:
    """Tell Celery the time of a task that is to wait as this machine's clock shows it: Celery asks no other."""
    eta, ahead = message.headers.get("eta"), clock.ahead()
    if eta and ahead:
        with suppress(ValueError, TypeError, OverflowError):  # Celery says what is wrong with it
            message.headers["eta"] = (datetime.fromisoformat(eta) + timedelta(seconds=ahead)).isoformat()


# end
