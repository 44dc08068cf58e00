"""How long a call may take and how much it may answer: without limits one hung server stops every worker.

A library's own timeout watches one read at a time, so a server that sends a byte now and then is never late. The
deadline here is over the whole answer.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from urllib.parse import urlsplit

from cars_bot.settings import settings

CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = settings().client_deadline
MAX_ANSWER_BYTES = 10 * 1024 * 1024
UNPACKED = {"Accept-Encoding": "identity"}  # the header that asks for answers whose size we can count


class LimitExceeded(Exception):
    """The answer was cut off: it took too long or was too long."""


class Allowance:
    """What is left of the deadline and the size limit for one answer."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + DEADLINE_SECONDS
        self._bytes = MAX_ANSWER_BYTES

    def spend(self, chunk: bytes) -> bytes:
        """Return `chunk` if it still fits.

        Raises:
            LimitExceeded: it does not.
        """
        self._bytes -= len(chunk)
        if self._bytes < 0:
            raise LimitExceeded(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > self._ends:
            raise LimitExceeded(f"the answer took longer than {DEADLINE_SECONDS:g} s")
        return chunk

    def over(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass chunks on as long as they fit."""
        for chunk in chunks:
            yield self.spend(chunk)

    async def over_async(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same for an asynchronous stream."""
        async for chunk in chunks:
            yield self.spend(chunk)


def refuse_compressed(headers: Mapping[str, str]) -> None:
    """Refuse an answer that is packed although we asked for none: a small one may unpack to any size.

    Raises:
        LimitExceeded: it is packed.
    """
    if (packed := headers.get("content-encoding", "identity").strip().lower()) not in ("identity", ""):
        raise LimitExceeded(f"the answer is packed ({packed:.20}), and we did not ask for that")


def use_proxies(base_url: str | None) -> bool:
    """Whether HTTP_PROXY and its relatives apply: never to an address on this machine."""
    host = urlsplit(base_url or "").hostname
    return host not in ("127.0.0.1", "localhost", "::1")
