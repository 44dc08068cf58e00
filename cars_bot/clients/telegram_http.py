"""The python-telegram-bot library, which is async only, on an event loop of its own. Imported at the first call only.

One thread runs one loop for one Bot, for as long as the process lives: a new loop for each call would cost 50 ms and
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
from cars_bot.clients import answers, limits
from cars_bot.settings import Settings

T = TypeVar("T")
THROTTLED_SECONDS = 5.0  # when Telegram does not say how long
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address, and Telegram's hold the bot's token
os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library's coming way to give times; silences its warning


class LimitedStream(httpx.AsyncByteStream):
    """An answer's body that stops at the deadline and at the size limit."""

    def __init__(self, stream: httpx.AsyncByteStream, packed: str | None) -> None:
        self._stream = stream
        self._allowance = limits.Allowance(packed)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._allowance.over_async(aiter(self._stream))

    async def aclose(self) -> None:
        await self._stream.aclose()


async def limit(response: httpx.Response) -> None:
    """Runs between an answer's headers and its body."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = LimitedStream(response.stream, response.headers.pop("content-encoding", None))


class NoProof(telegram.error.TelegramError):
    """An answer that says neither done nor not done: from a proxy, or from a server that broke down at it."""


class CarefulRequest(HTTPXRequest):
    """Reads the status of an answer before the library does: it takes every error of a server for a refusal."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """See `HTTPXRequest`.

        Raises:
            NoProof, RetryAfter, BadRequest.
        """
        status, body = await super().do_request(*args, **kwargs)
        if answers.is_done(status):
            return status, body
        if status == 429:  # nothing was done, whatever else the answer says
            raise telegram.error.RetryAfter(timedelta(seconds=wait_told(body)))
        if answers.is_refused(status):
            said = (refusal(body) or {"description": "no reason"})["description"]
            raise telegram.error.BadRequest(f"it answered {status}: {outside.clean(said):.300}")
        raise NoProof(f"it answered {status}")


def refusal(body: bytes) -> dict[str, Any] | None:
    """Telegram's own words for a refusal; None if the body is anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("description"), str) else None


def wait_told(body: bytes) -> float:
    """For how long Telegram tells to wait, in seconds."""
    parameters = (refusal(body) or {}).get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return outside.seconds(told, THROTTLED_SECONDS)


class BotLine:
    """A Bot that can be called from any thread that is not its own."""

    def __init__(self, where: Settings) -> None:
        request = CarefulRequest(
            connect_timeout=limits.CONNECT_SECONDS,
            read_timeout=limits.DEADLINE_SECONDS,
            write_timeout=limits.DEADLINE_SECONDS,
            httpx_kwargs={
                "headers": limits.PACKED,
                "event_hooks": {"response": [limit]},
                "trust_env": limits.use_proxies(where.telegram_base_url),
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
            TimeoutError: the deadline passed; the call was cancelled, it may have arrived.
            telegram.error.TelegramError: whatever the library made of the answer.
        """

        async def run() -> T:
            return await make(self._bot)

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return future.result(limits.DEADLINE_SECONDS)
        finally:
            future.cancel()  # does nothing to a call that has ended; a time limit may interrupt the wait
