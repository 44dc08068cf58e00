"""HTTP for python-telegram-bot: an event loop for a library that is async only. Imported at the first call only.

One thread runs one loop for one Bot until the process ends. A new loop for each call would cost 50 ms. It would also
leave the Bot's connections bound to a loop that is gone.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import telegram
from telegram.request import HTTPXRequest

from cars_bot.boundary import outside
from cars_bot.clients import answers, call_limits
from cars_bot.settings import Settings

T = TypeVar("T")
THROTTLED_SECONDS = 5.0  # the wait if Telegram does not say how long
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each address, and Telegram's hold the bot's token
os.environ.setdefault("PTB_TIMEDELTA", "true")  # times as timedelta, the library's future default; no warning


class LimitedStream(httpx.AsyncByteStream):
    """An answer's body that stops at the deadline and at the size limit."""

    def __init__(self, stream: httpx.AsyncByteStream, packed: str | None) -> None:
        self._stream = stream
        self._allowance = call_limits.Allowance(packed)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._allowance.over_async(aiter(self._stream))

    async def aclose(self) -> None:
        await self._stream.aclose()


async def limit(response: httpx.Response) -> None:
    """Set the limits of an answer. httpx calls this between the answer's headers and its body."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = LimitedStream(response.stream, response.headers.pop("content-encoding", None))


class NoProof(telegram.error.TelegramError):
    """An answer that says neither done nor not done. It comes from a proxy, or from a server that failed halfway."""


class CarefulRequest(HTTPXRequest):
    """A request that checks the answer's status first. The library alone reads each server error as a refusal."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Send a request; see `HTTPXRequest`.

        Raises:
            NoProof, RetryAfter, BadRequest.
        """
        status, body = await super().do_request(*args, **kwargs)
        if answers.is_done(status):
            return status, body
        if status == 429:  # nothing was done, regardless of the rest of the answer
            raise telegram.error.RetryAfter(timedelta(seconds=wait_told(body)))
        if answers.is_refused(status):
            said = (refusal(body) or {"description": "no reason"})["description"]
            raise telegram.error.BadRequest(f"it answered {status}: {outside.clean(said):.300}")
        raise NoProof(f"it answered {status}")


def refusal(body: bytes) -> dict[str, Any] | None:
    """Return Telegram's own words for a refusal. None if the body is anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("description"), str) else None


def wait_told(body: bytes) -> float:
    """Return the wait that Telegram asks for, in seconds."""
    parameters = (refusal(body) or {}).get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return outside.seconds(told, THROTTLED_SECONDS)


class BotLine:
    """A Bot for every thread but its own."""

    def __init__(self, where: Settings) -> None:
        request = CarefulRequest(
            connect_timeout=call_limits.CONNECT_SECONDS,
            read_timeout=call_limits.DEADLINE_SECONDS,
            write_timeout=call_limits.DEADLINE_SECONDS,
            httpx_kwargs={
                "headers": call_limits.HEADERS,
                "event_hooks": {"response": [limit]},
                "verify": call_limits.certificates(),
                "trust_env": call_limits.use_proxies(where.telegram_base_url),
            },
        )
        base = (where.telegram_base_url or "https://api.telegram.org").rstrip("/")
        self._bot = telegram.Bot(
            where.telegram_bot_token, base_url=f"{base}/bot", request=request, get_updates_request=request
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True).start()

    def call(self, make: Callable[[telegram.Bot], Awaitable[T]]) -> T:
        """Run one call of the Bot to its end and return its result.

        Raises:
            TimeoutError: the deadline passed. The call was cancelled; it may have arrived.
            telegram.error.TelegramError: the library's error for the answer.
        """

        async def run() -> T:
            return await make(self._bot)

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return future.result(call_limits.DEADLINE_SECONDS)
        finally:
            future.cancel()  # a time limit may interrupt the wait; an ended call is not changed
