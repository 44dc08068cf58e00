"""HTTP for the openai library: the configured address and limits. Imported at the first call only: it is heavy."""

from collections.abc import Iterator

import httpx2
import openai

from cars_bot.clients import call_limits
from cars_bot.settings import Settings


class LimitedStream(httpx2.SyncByteStream):
    """An answer's body that stops at the deadline and at the size limit."""

    def __init__(self, stream: httpx2.SyncByteStream, packed: str | None) -> None:
        self._stream = stream
        self._allowance = call_limits.Allowance(packed)

    def __iter__(self) -> Iterator[bytes]:
        return self._allowance.over(iter(self._stream))

    def close(self) -> None:
        self._stream.close()


def limit(response: httpx2.Response) -> None:
    """Set the limits of an answer. The library calls this between the answer's headers and its body."""
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = LimitedStream(response.stream, response.headers.pop("content-encoding", None))


def build(where: Settings) -> openai.OpenAI:
    """Return a client without retries of its own. They would hide faults from our policies and double the load."""
    return openai.OpenAI(
        api_key=where.openai_api_key,
        base_url=where.openai_base_url,
        timeout=openai.Timeout(call_limits.DEADLINE_SECONDS, connect=call_limits.CONNECT_SECONDS),
        max_retries=0,
        http_client=openai.DefaultHttpxClient(
            headers=call_limits.HEADERS,
            event_hooks={"response": [limit]},
            verify=call_limits.certificates(),
            trust_env=call_limits.use_proxies(where.openai_base_url),
        ),
    )
