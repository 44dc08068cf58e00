"""The openai library, pointed at the configured address and bounded. Imported at the first call only: it is heavy."""

from collections.abc import Iterator

import httpx2
import openai

from cars_bot.clients import limits
from cars_bot.settings import Settings


class LimitedStream(httpx2.SyncByteStream):
    """An answer's body that stops at the deadline and at the size limit."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream
        self._allowance = limits.Allowance()

    def __iter__(self) -> Iterator[bytes]:
        return self._allowance.over(iter(self._stream))

    def close(self) -> None:
        self._stream.close()


def limit(response: httpx2.Response) -> None:
    """Runs between an answer's headers and its body."""
    assert isinstance(response.stream, httpx2.SyncByteStream)
    limits.refuse_compressed(response.headers)
    response.stream = LimitedStream(response.stream)


def build(where: Settings) -> openai.OpenAI:
    """A client without retries of its own: they would hide faults from our policies and double their load."""
    return openai.OpenAI(
        api_key=where.openai_api_key,
        base_url=where.openai_base_url,
        timeout=openai.Timeout(limits.DEADLINE_SECONDS, connect=limits.CONNECT_SECONDS),
        max_retries=0,
        http_client=openai.DefaultHttpxClient(
            headers=limits.UNPACKED,
            event_hooks={"response": [limit]},
            trust_env=limits.use_proxies(where.openai_base_url),
        ),
    )
