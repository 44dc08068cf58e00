"""Messages with properties built byte by byte. RabbitMQ carries them, but a client may be unable to read them."""

import bz2
import json
import lzma
import struct
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import amqp.serialization
import pika
import pika.exceptions

from cars_bot import runs

Odd = tuple["Handmade", bytes]
Connect = Callable[[], AbstractContextManager[Any]]  # opens a channel for a block
MEGABYTE = 1 << 20


class Handmade(pika.BasicProperties):  # type: ignore[misc]
    """Properties as bytes. They can hold everything that AMQP allows, even if a client cannot read it."""

    ORDER = ("content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
             "expiration", "message_id", "timestamp", "type", "user_id", "app_id")  # fmt: skip

    def __init__(self, **values: Any) -> None:
        super().__init__()
        self.values = values

    def encode(self) -> list[bytes]:
        """Return them as they travel: one bit for each property that is set, then the values."""
        flags, encoded = 0, b""
        for place, name in enumerate(self.ORDER):
            if (value := self.values.get(name)) is None:
                continue
            flags |= 1 << (15 - place)
            if name == "headers":
                encoded += struct.pack(">I", len(value)) + value
            elif name in ("delivery_mode", "priority"):
                encoded += struct.pack(">B", value)
            elif name == "timestamp":
                encoded += struct.pack(">Q", value)
            else:
                encoded += struct.pack(">B", len(value)) + value
        return [struct.pack(">H", flags), encoded]


def table(fields: dict[str, Any]) -> bytes:
    """The fields of a table as Celery's library encodes them, without the table's length."""
    return bytes(amqp.serialization.dumps("F", [fields])[4:])


def field(name: bytes, kind: bytes, value: bytes) -> bytes:
    """One field of a table."""
    return struct.pack(">B", len(name)) + name + kind + value


def nested(kind: bytes, levels: int) -> bytes:
    """A field with a table (F) or an array (A) that is nested `levels` deep."""
    value = struct.pack(">I", 0)
    for _ in range(levels):
        inner = (field(b"a", b"F", value)) if kind == b"F" else b"A" + value
        value = struct.pack(">I", len(inner)) + inner
    return field(b"deep", kind, value)


HEADERS = {
    "a date in milliseconds": field(b"x-sent", b"T", struct.pack(">Q", 1_772_000_000_000)),
    "a date at the end of all numbers": field(b"x-sent", b"T", struct.pack(">Q", 2**64 - 1)),
    "a date in an array": field(b"x-sent", b"A", struct.pack(">I", 9) + b"T" + struct.pack(">Q", 2**60)),
    "tables in tables": nested(b"F", 5_000),
    "arrays in arrays": nested(b"A", 5_000),
}
PROPERTIES: dict[str, dict[str, Any]] = {
    "a content type that is no text": {"content_type": b"\xff\xfe"},
    "an encoding that is no text": {"content_encoding": b"\xff"},
    "a packed body, they say": {"content_encoding": b"gzip"},
    "another encoding": {"content_encoding": b"utf-16"},
    "an encoding nobody knows": {"content_encoding": b"klingon"},
}


def read_anyway(lane: str) -> dict[str, Odd]:
    """Messages that are odd only in parts that no worker needs. A worker may read them or put them aside."""
    return {
        "a name that is no text": _odd(lane, field(b"\xff\xfe", b"S", struct.pack(">I", 1) + b"x")),
        "a text that is none": _odd(lane, field(b"x", b"S", struct.pack(">I", 2) + b"\xff\xfe")),
        "a decimal of many places": _odd(lane, field(b"x", b"D", struct.pack(">Bi", 255, 7))),
        "a number that is none": _odd(lane, field(b"x", b"d", struct.pack(">d", float("nan")))),
        "bytes": _odd(lane, field(b"x", b"x", struct.pack(">I", 2) + b"\xff\x00")),
        "small numbers": _odd(lane, field(b"x", b"s", b"\x00\x01") + field(b"y", b"B", b"\xff")),
        "a timestamp at the end": _odd(lane, timestamp=2**64 - 1),
        "an odd way of delivery": _odd(lane, delivery_mode=77, priority=255),
        "an application that is no text": _odd(lane, app_id=b"\xff\xfe"),
        "an address that is no text": _odd(lane, reply_to=b"\xff\xfe"),
    }


def undecodable(lane: str) -> dict[str, Odd]:
    """Good messages with one defect each: a part that a client cannot read, or that we refuse to read."""
    made = {case: _odd(lane, more) for case, more in HEADERS.items()}
    made |= {case: _odd(lane, **more) for case, more in PROPERTIES.items()}
    body = b'{"task_num": %s, "timeout": 0}' if lane == "raw" else b'[[], {"task_num": %s, "timeout": 0}, {}]'
    bodies = {
        "no number": b"NaN", "beyond all numbers": b"Infinity", "a number too large": b"1e999",
        "40 levels": b"[" * 40 + b"]" * 40, "300 levels": b"[" * 300 + b"]" * 300,
        "half a character": b'"\\ud83d"', "more than a megabyte": b'"' + b"x" * MEGABYTE + b'"',
    }  # fmt: skip
    made |= {f"a body with {case}": (_odd(lane)[0], body % value) for case, value in bodies.items()}
    return made


def packed(lane: str, megabytes: int) -> dict[str, Odd]:
    """Small compressed bodies. Most unpack to many megabytes (at most `megabytes`), and one unpacks to little."""
    small = _odd(lane)[1]
    pack, space = zlib.compressobj(1), b" " * MEGABYTE
    once = pack.compress(small[:-1]) + b"".join(pack.compress(space) for _ in range(megabytes))
    once += pack.compress(small[-1:]) + pack.flush()
    bodies = {
        "application/x-gzip": once, "application/x-bz2": bz2.compress(small[:-1] + 2 * space + small[-1:]),
        "application/x-lzma": lzma.compress(small[:-1] + 2 * space + small[-1:], preset=0), "gzip": once, "zlib": once,
        "application/zstd": once, "zstd": once, "no such thing": once,
    }  # fmt: skip
    made = {name: _packed(lane, name, body) for name, body in bodies.items()}
    made["packed twice"] = _packed(lane, "application/x-gzip", zlib.compress(once))
    made["packed and small"] = _packed(lane, "application/x-gzip", zlib.compress(small))
    made["half of it"] = _packed(lane, "application/x-gzip", once[: len(once) // 2])
    return made


def _packed(lane: str, name: str, body: bytes) -> Odd:
    return _odd(lane, table({"compression": name}))[0], body


def _odd(lane: str, more_headers: bytes = b"", **properties: Any) -> Odd:
    """A good message with a new id, some extra headers and some changed properties."""
    run_id = runs.new_id()
    good: dict[str, Any] = {"content_type": b"application/json", "content_encoding": b"utf-8"}
    args = {"task_num": 1, "timeout": 0}
    if lane == "raw":
        headers, body = b"", json.dumps(args)
        good |= {"message_id": run_id.encode(), "type": b"process_task"}
    else:
        told = {"id": run_id, "task": "process_task", "lang": "py", "retries": 0, "timelimit": [None, None]}
        headers, body = table(told), json.dumps([[], args, {}])
        good |= {"correlation_id": run_id.encode()}
    return Handmade(**good | {"headers": headers + more_headers} | properties), body.encode()


CELERY_HEADERS: dict[str, dict[str, Any]] = {
    "no limits at all": {"timelimit": [-1, -1]},
    "limits of nothing": {"timelimit": [0, 0]},
    "limits that are no numbers": {"timelimit": ["1", "2"]},
    "limits that are true": {"timelimit": [True, True]},
    "retries below none": {"retries": -1},
    "a thousand million retries": {"retries": 10**9},
    "a root that is a list": {"root_id": [1]},
    "a parent that is a table": {"parent_id": {"a": 1}},
    "a parent of a kilometre": {"parent_id": "x" * 1_000},
    "a group that is a number": {"group": 7},
    "an eta that is no date": {"eta": "soon"},
    "an eta of a kilometre": {"eta": "9" * 60_000},
    "an eta beyond all calendars": {"eta": "9999-12-31T23:59:59.999999-23:59"},
    "an eta that is a number": {"eta": 10**12},
    "an end that is no date": {"expires": "never"},
    "an end that is a list": {"expires": [1]},
    "no wish for a result, oddly": {"ignore_result": "perhaps"},
    "stamps that are none": {"stamped_headers": 5, "stamps": [1]},
    "a shadow that is a table": {"shadow": {"a": 1}},
}
CELERY_REST: dict[str, Any] = {
    "callbacks that are none": {"callbacks": ["x"]},
    "errbacks that are a number": {"errbacks": 7},
    "a chain of numbers": {"chain": [1, 2]},
    "a chord of text": {"chord": "x"},
    "another run's id": {"id": "x", "retries": "many"},
    "an argument of another kind": {"chain": [{"task": "debug_task", "args": 1, "kwargs": {}}]},
}


def celery_only() -> dict[str, Odd]:
    """Messages that are odd in parts that only Celery has: headers that Celery trusts, and the rest of the body."""
    made = {}
    for case, changed in CELERY_HEADERS.items():
        run_id = runs.new_id()
        told = {"id": run_id, "task": "process_task", "lang": "py", "retries": 0, "timelimit": [None, None]}
        values: dict[str, Any] = {"content_type": b"application/json", "content_encoding": b"utf-8"}
        made[case] = Handmade(**values, headers=table(told | changed)), b'[[], {"task_num": 1, "timeout": 0}, {}]'
    for case, rest in CELERY_REST.items():
        body = json.dumps([[], {"task_num": 1, "timeout": 0}, rest])
        made[case] = _odd("celery")[0], body.encode()
    return made


def publish_each(
    connect: Callable[[], AbstractContextManager[Any]], exchange: str, messages: dict[str, Odd]
) -> set[str]:
    """Publish each message on its own connection. Return the messages that the broker took; it refuses some."""
    taken = set()
    for case, (properties, body) in messages.items():
        with suppress(pika.exceptions.AMQPError), connect() as channel:
            channel.confirm_delivery()
            channel.basic_publish(exchange, "default", body, properties, mandatory=True)
            taken.add(case)
    return taken
