"""Skip this file on a first reading: py-amqp and kombu, repaired so that no message can end a worker.

py-amqp raises an error for a date beyond year 9999, and for a text that is not UTF-8. The error ends the worker, and
then the next one. kombu decompresses a body of any size before our check. The measurement behind it: a message with
522 KB of gzip took a worker's parent process from 122 to 1,147 MB of memory. The repairs replace functions inside the
libraries, so their versions are pinned. Only a worker imports this module.
"""

import base64
import uuid
from struct import unpack_from
from typing import Any

import amqp.abstract_channel
import amqp.serialization
import kombu.message
import kombu.transport.redis
from kombu.exceptions import ContentDisallowed

UNREADABLE = "unreadable"  # the header that marks a message that the library could not read


# feature: JSON only, validated
def _properties_or_mark(buffer: Any, offset: int, read: Any = amqp.serialization.decode_properties_basic) -> Any:
    """Mark a message whose properties py-amqp cannot read: a date beyond year 9999, or a text that is not UTF-8."""
    try:
        return read(buffer, offset)
    except Exception as error:
        return {"application_headers": {UNREADABLE: repr(error)}}, len(buffer)


def _arguments_or_replaced(format: str, buffer: Any, offset: int = 0, read: Any = amqp.serialization.loads) -> Any:
    """Replace the bytes that are not UTF-8 in a delivery's exchange and routing key."""
    try:
        return read(format, buffer, offset)
    except UnicodeDecodeError:
        if not set(format) <= set("sLb"):  # this is not a delivery
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
    """Return None for a text that is not JSON. In Redis, a queue's list can hold anything."""
    try:
        return read(text)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None


def _deliver_or_mark(
    transport: Any, message: Any, queue: str, deliver: Any = kombu.transport.redis.Transport._deliver
) -> Any:
    """Mark a message over Redis as unreadable if one of its required fields is missing or wrong."""
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
    except Exception:  # the message may have any shape
        return False


def _unpacks_nothing(_body: bytes, compression: object) -> bytes:
    """Refuse a compressed body. A few kilobytes can decompress to gigabytes."""
    raise ContentDisallowed(f"its body is compressed ({str(compression)[:40]}); only plain JSON is read")


amqp.serialization.PROPERTY_CLASSES[amqp.spec.Basic.CLASS_ID] = _properties_or_mark
amqp.abstract_channel.loads = _arguments_or_replaced
kombu.message.decompress = _unpacks_nothing
kombu.transport.redis.loads = _json_or_nothing
kombu.transport.redis.Transport._deliver = _deliver_or_mark
# end
