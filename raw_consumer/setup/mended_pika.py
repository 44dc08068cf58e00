"""Skip this file on a first reading: two mends of pika, whose version is pinned.

A damaged header ends no connection. All frames of one turn of the loop are sent with one system call.
"""

import threading
from collections.abc import Sequence
from typing import Any

import pika.data
from pika.adapters.asyncio_connection import AsyncioConnection

UNREADABLE = "unreadable"
"""The header that stands for all the headers of a message which pika cannot read."""

_reading = threading.local()


# pika drops a connection over a header that it cannot read, such as a date in the year 58000. Then the broker delivers
# that message again and again. So the headers are marked here, and the reader puts the message aside. This holds for
# each pika connection. A table may hold tables: a damaged inner one spoils the whole.
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


class Connection(AsyncioConnection):
    """Sends all frames of one turn of the loop with one system call. pika makes three calls for each publish."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._unsent: list[bytes] = []
        super().__init__(*arguments, **more)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        if not self._unsent:
            self.ioloop.call_soon(self._send_unsent)
        self._unsent.extend(marshaled_frames)

    def _send_unsent(self) -> None:
        gathered, self._unsent = b"".join(self._unsent), []
        if self._transport is not None:  # None: the connection is lost
            super()._output_marshaled_frames([gathered])
