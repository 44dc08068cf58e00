"""Limits of a connection: time for its request, bytes for its head, time to read its answer, and a number of places.

uvicorn waits for ever for the rest of a request, and for a client that does not read its answer. One small program can
open a thousand such connections. They use up the file descriptors of the process, and nobody else can connect. So each
connection has deadlines. When all places are taken, the oldest connection without a complete request is closed.

Bodies have limits of their own in `request_body.py`, because the largest size depends on the address.
"""

import asyncio
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import Problem

HEAD_SECONDS = 10.0  # from the connect, or from the first byte of a request, to the end of its headers
HEAD_BYTES = 64 * 1024
UNREAD_SECONDS = 30.0  # a client that reads nothing of its answer for so long is dropped
RESERVE = 150  # file descriptors for the database, the brokers, logs and what jobs open inline
MOST_PLACES = 5_000


def raise_limit() -> None:
    """Raise the limit of file descriptors as far as this process may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_PLACES + RESERVE if hard == resource.RLIM_INFINITY else min(hard, MOST_PLACES + RESERVE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def places() -> int:
    """Return the number of connections that may be open at the same time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(10, min(MOST_PLACES, soft - RESERVE))


class CarefulProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with deadlines, and a place for every client that sends a complete request."""

    # Connections that are idle or whose request is not complete, the oldest first.
    unfinished: dict["CarefulProtocol", None] = {}  # noqa: RUF012 - shared by the whole process

    _head_deadline: asyncio.TimerHandle | None = None
    _unread_deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take in a client. If all places are taken, close the oldest without a complete request."""
        super().connection_made(transport)
        if len(self.connections) > places():
            for longest in self.unfinished:
                longest.transport.abort()
                longest._forget()
                break
            else:
                self._refuse(503, "too_many_connections", "all connections are in use; try again in a moment")
                return
        self._begin_head()
        self.unfinished[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        self.connections.discard(self)
        self.unfinished.pop(self, None)
        self._end_head()
        if self._unread_deadline is not None:
            self._unread_deadline.cancel()

    # ------------------------------------------------ the request

    def _begin_head(self) -> None:
        if self._head_deadline is None:
            self._head_bytes = 0
            self._head_deadline = self.loop.call_later(HEAD_SECONDS, self._head_too_slow)

    def _end_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def data_received(self, data: bytes) -> None:
        """Take in bytes: the rest of a head, a body, or another request."""
        waiting = self._head_deadline
        super().data_received(data)
        if waiting is not None and waiting is self._head_deadline and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "head_too_large", f"the request's headers are over {HEAD_BYTES:,} bytes; send less")

    def on_message_begin(self) -> None:
        """Start the deadline of a head at its first byte."""
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        """Stop the deadline: the head is complete."""
        self._end_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Give the connection its place: the request is complete, its body included."""
        self.unfinished.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the connection is idle, unless the next request is there already."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self.unfinished[self] = None

    def _head_too_slow(self) -> None:
        self._head_deadline = None
        self._refuse(408, "request_too_slow", f"the request's headers did not arrive within {HEAD_SECONDS:.0f} s")

    def _refuse(self, status: int, error: str, message: str) -> None:
        """Answer in the shape of every refusal, and close the connection."""
        body = Problem(error=error, message=message).model_dump_json()
        self.transport.write(
            f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"connection: close\r\n\r\n{body}".encode()
        )
        self._forget()
        self.transport.close()

    # ------------------------------------------------ the answer

    def pause_writing(self) -> None:
        """Start a deadline: the client reads more slowly than we write."""
        super().pause_writing()
        self._unread_deadline = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the deadline: the client reads again."""
        super().resume_writing()
        if self._unread_deadline is not None:
            self._unread_deadline.cancel()
            self._unread_deadline = None
