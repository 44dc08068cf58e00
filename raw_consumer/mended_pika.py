"""pika's connection with two things mended. Both reach into pika, whose version is pinned."""

import threading
from collections.abc import Sequence
from typing import Any

import pika.data
from pika.adapters.asyncio_connection import AsyncioConnection

UNREADABLE = "unreadable"
"""The header that stands for all the headers of a message which pika cannot read."""

_reading = threading.local()


# pika gives a connection up over a header it cannot read, such as a date in the year 58000, and the broker delivers
# that message again and again. It is marked instead, and put aside by whoever reads it. This holds for every pika
# connection. A table may hold others: what is inside one that cannot be read spoils the whole.
def _decode_or_mark(encoded: bytes, offset: int, decode: Any = pika.data.decode_table) -> Any:
    if getattr(_reading, "inside", False):
        return decode(encoded, offset)
    _reading.inside = True
    try:
        return decode(encoded, offset)
    except Exception as error:
        return {UNREADABLE: repr(error)}, offset + 4 + int.from_bytes(encoded[offset : offset + 4])
    finally:
        _reading.inside = False


pika.data.decode_table = _decode_or_mark


class Connection(AsyncioConnection):  # type: ignore[misc]
    """Sends what one turn of the loop has to say with one system call; pika makes three for each publish."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._unsent: list[bytes] = []
        super().__init__(*arguments, **more)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        if not self._unsent:
            self.ioloop.call_soon(self._send_unsent)
        self._unsent.extend(marshaled_frames)

    def _send_unsent(self) -> None:
        gathered, self._unsent = b"".join(self._unsent), []
        if self._transport is not None:  # None: it is lost, and what was to be said with it
            super()._output_marshaled_frames([gathered])
