"""The python-telegram-bot library, which is async only, on an event loop of its own. Imported at the first call only.

One thread runs one loop for one Bot, for as long as the process lives: a new loop for each call would cost 50 ms and
leave the Bot's connections bound to a loop that is gone.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

import httpx
import telegram
from telegram.request import HTTPXRequest

from cars_bot import outside
from cars_bot.clients import limits
from cars_bot.settings import Settings

T = TypeVar("T")
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
    _headers.set(response.headers)
    response.stream = LimitedStream(response.stream, response.headers.pop("content-encoding", None))


_headers: ContextVar[Mapping[str, str]] = ContextVar("headers")  # of the answer to this task's request


class Refused(telegram.error.TelegramError):
    """An answer that is no success, as it came. The library's errors do not say whose words they hold."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status, self.headers, self.body = status, _headers.get({}), body


class Request(HTTPXRequest):
    """The library's requests, with answers that `cars_bot.clients.telegram` reads itself when they are no success."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """See `HTTPXRequest.do_request`."""
        status, body = await super().do_request(*args, **kwargs)
        if not 200 <= status <= 299:
            raise Refused(status, body)
        return status, body

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """See `BaseRequest.parse_json_payload`."""
        return outside.parse(payload)


class BotLine:
    """A Bot that can be called from any thread that is not its own."""

    def __init__(self, where: Settings) -> None:
        request = Request(
            connect_timeout=limits.CONNECT_SECONDS,
            read_timeout=limits.DEADLINE_SECONDS,
            write_timeout=limits.DEADLINE_SECONDS,
            httpx_kwargs={
                "event_hooks": {"response": [limit]},
                "headers": {"Accept-Encoding": limits.ACCEPT_ENCODING},
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
