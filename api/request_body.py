"""Request body: read whole before a route sees it, with a limit on its size and on its time.

A size limit holds whether or not the client announces a length. A client that sends one byte a minute holds a buffer
and no worker thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_CAP = 1_000_000  # bytes
BODY_CAPS = {"/api/posts": 16_000_000}  # bytes; the export of a channel is large
BODY_SECONDS = 20.0
SMALL = 64 * 1024  # bytes; smaller bodies are always accepted
BODIES_CAP = 64_000_000  # bytes that all larger bodies together may have while they are read


class TooLarge(Exception):
    """The body is over its cap."""


class TooMuch(Exception):
    """All bodies that are being read are too large together."""


def is_json(headers: Headers) -> bool:
    """Return whether the body is declared as JSON."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class _InMemory:
    """The number of bytes of larger bodies that are in memory now."""

    bytes = 0


_in_memory = _InMemory()


async def read_body(receive: Receive, headers: Headers, cap: int) -> bytes | None:
    """Return the whole body, or None if the client went away before its end.

    Raises:
        TooLarge: the body has over `cap` bytes, or its announced length has.
        TooMuch: all bodies that are being read are over `BODIES_CAP` together.
        TimeoutError: the body took longer than `BODY_SECONDS`.
    """
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > cap:
        raise TooLarge
    body = bytearray()
    held = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > cap:
                    raise TooLarge
                if not message.get("more_body"):
                    return bytes(body)
                if len(body) > SMALL:
                    _in_memory.bytes += len(body) - held
                    held = len(body)
                    if _in_memory.bytes > BODIES_CAP:
                        raise TooMuch
    finally:
        _in_memory.bytes -= held


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out the body that was read, and then the messages after it."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> MutableMapping[str, Any]:
        return pending.pop() if pending else await receive()

    return next_message
