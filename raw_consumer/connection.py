"""A kept connection: it lives on its own thread and connects again by itself after a loss.

pika's connections are not thread-safe: the other threads hand their calls to this one. Publishing and consuming never
share a connection, because a broker short of memory or disk stops reading from publishers.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable
from typing import Any

from pika.channel import Channel

from cars_bot.processes import ownership
from raw_consumer import topology
from raw_consumer.setup.mended_pika import Connection
from raw_consumer.setup.parameters import parameters

log = logging.getLogger(__name__)

BACKOFF, BACKOFF_MAX = 0.2, 10.0  # seconds between two tries to connect, doubled each time
GOODBYE_SECONDS = 2.0


class ConnectionKeeper:
    """Holds one connection with one channel open.

    Args:
        ready: called on the connection's thread with each new channel, before any other use of it.
        lost: called there when the channel is gone.

    Attributes:
        channel: the channel or None, only for code on the connection's thread.
        opened: set while there is a channel; any thread may wait for it.
        generation: the number of the channel. A delivery tag is valid in its own generation only.
    """

    def __init__(
        self, url: str, name: str, ready: Callable[[Channel], None], lost: Callable[[], object] = object
    ) -> None:
        self.channel: Channel | None = None
        self.opened = threading.Event()
        self.generation = 0
        self.loop = asyncio.new_event_loop()
        self._url, self._parameters, self._ready, self._lost = url, parameters(url, name), ready, lost
        self._broken: asyncio.Future[None] = self.loop.create_future()
        self._closing = asyncio.Event()
        self._failures = 0
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Connect and stay connected. A second call is harmless."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call `function` soon on the connection's thread. Calls keep their order."""
        with contextlib.suppress(RuntimeError):  # closed for good
            self.loop.call_soon_threadsafe(function, *arguments)

    def fail(self, reason: BaseException) -> None:
        """Drop this connection and make a new one. Only the connection's thread may call this."""
        if not self._broken.done():
            self._broken.set_exception(reason)

    def close(self) -> None:
        """Close the connection after all earlier calls, and end the thread."""
        self.call(self._let_go)
        if self._thread.ident is not None:
            self._thread.join(GOODBYE_SECONDS + 1)

    def _let_go(self) -> None:
        self._closing.set()
        if not self._broken.done():
            self._broken.set_result(None)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._keep())

    # feature: reconnect
    async def _keep(self) -> None:
        while not self._closing.is_set():
            try:
                await self._session()
            except Exception as error:  # any error: a new connection helps
                pause = min(BACKOFF_MAX, BACKOFF * 2**self._failures) * random.uniform(0.5, 1)
                pause = BACKOFF_MAX if ownership.owner_in(str(error)) else pause
                self._failures += 1
                why = ownership.explain(error, self._url)
                log.warning("no connection to the broker, next try in %.1f s: %s", pause, why)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), pause)

    async def _session(self) -> None:
        """Connect, and stay until the connection breaks (which raises) or until `close`."""
        self._broken = broken = self.loop.create_future()
        broken.add_done_callback(lambda future: future.exception())  # it may break before the await below
        gone = asyncio.Event()
        connection = await self._open(broken, gone)
        try:
            self.channel = await self._open_channel(connection, broken)
            ownership.reserve(self.channel, topology.KIT, topology.DEAD)  # raises if the queues are another kit's
            self._ready(self.channel)
            self.opened.set()
            self._failures = 0
            await broken
        finally:
            self.opened.clear()
            self.channel = None
            self.generation += 1
            self._lost()
            if connection.is_open:
                connection.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), GOODBYE_SECONDS)

    # end

    async def _open(self, broken: asyncio.Future[None], gone: asyncio.Event) -> Connection:
        opened = self.loop.create_future()

        def closed(_connection: Connection, reason: BaseException) -> None:
            gone.set()
            if not broken.done():
                broken.set_exception(reason)

        Connection(
            self._parameters,
            on_open_callback=opened.set_result,
            on_open_error_callback=lambda _connection, reason: opened.set_exception(reason),
            on_close_callback=closed,
            custom_ioloop=self.loop,
        )
        connection: Connection = await opened
        return connection

    async def _open_channel(self, connection: Connection, broken: asyncio.Future[None]) -> Channel:
        opened = self.loop.create_future()
        channel = connection.channel(on_open_callback=opened.set_result)
        channel.add_on_close_callback(lambda _channel, reason: self.fail(reason))
        await asyncio.wait([opened, broken], return_when=asyncio.FIRST_COMPLETED)
        return channel  # if the connection broke instead, the first use raises
