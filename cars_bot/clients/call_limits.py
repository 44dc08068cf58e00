"""Limits of a call: its longest time and its largest answer. Without them one server that hangs stops every worker.

A library's own timeout counts for one read. A server that sends a byte now and then is never late. The deadline here
counts for the whole answer. Bytes count after unpacking, because a megabyte of gzip can hold a gigabyte.
"""

import functools
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from cars_bot.settings import settings

CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = settings().client_deadline
MAX_ANSWER_BYTES = 10 * 1024 * 1024
HEADERS = {"Accept-Encoding": "gzip"}  # of each request; `Allowance` unpacks this format


@functools.cache
def certificates() -> ssl.SSLContext:
    """Return the authorities that every client trusts. They take about 40 ms to load, so a process loads them once.

    Raises:
        OSError: the file that `SSL_CERT_FILE` names cannot be read.
    """
    import httpx

    return httpx.create_ssl_context()


class LimitExceeded(Exception):
    """The answer was cut off: it took too long, was too long, or cannot be unpacked."""


class Allowance:
    """The time and the bytes that are left for one answer.

    Args:
        packed: the answer's `Content-Encoding`. The library must not see it, or it would unpack a second time.
    """

    def __init__(self, packed: str | None = None) -> None:
        self._ends = time.monotonic() + DEADLINE_SECONDS
        self._bytes = MAX_ANSWER_BYTES
        self._packed = (packed or "").strip().lower()
        plain = self._packed in ("", "identity")
        self._unpack = None if plain else zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib

    def spend(self, chunk: bytes) -> bytes:
        """Return `chunk`, unpacked, if it still fits.

        Raises:
            LimitExceeded: it does not fit, came too late, or cannot be unpacked.
        """
        if self._unpack:
            try:
                chunk = self._unpack.decompress(chunk, self._bytes + 1)
            except zlib.error as error:
                raise LimitExceeded(f"the answer, packed as {self._packed:.20}, cannot be unpacked: {error}") from None
        self._bytes -= len(chunk)
        if self._bytes < 0:
            raise LimitExceeded(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > self._ends:
            raise LimitExceeded(f"the answer took longer than {DEADLINE_SECONDS:g} s")
        return chunk

    def over(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks, unpacked, as long as they fit."""
        for chunk in chunks:
            yield self.spend(chunk)

    async def over_async(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks of an asynchronous stream, unpacked, as long as they fit."""
        async for chunk in chunks:
            yield self.spend(chunk)


def use_proxies(base_url: str | None) -> bool:
    """Return whether HTTP_PROXY and similar variables apply. They never apply to an address on this machine."""
    host = urlsplit(base_url or "").hostname
    return host not in ("127.0.0.1", "localhost", "::1")
