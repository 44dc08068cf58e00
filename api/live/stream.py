"""GET /api/live: server-sent events that keep a page up to date.

    event: rows      {"rows": [those that changed], "ids": [all that are in the list, in order]}
    event: tick      {"at", "rate": {lane: ended a second}, "depth": {lane: messages}, "totals": {lane: {state: runs}},
                      "unserved": {lane: a sentence, or ""}}
    event: history   {"ticks": [the last two minutes]}: once, at the beginning

`live_queries.py` and `counters.py` decide what is queried, and how often. `pages/static/` draws it in the browser.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import Refused
from api.live import live_queries
from api.live.counters import Counters
from api.live.projector import Projector
from api.schemas import RUN_ID, Lane, State
from cars_bot.catalogue import job_named

MAX_CLIENTS = 200
KEEP_ALIVE_SECONDS = 15.0
SEND_SECONDS = 10.0  # a client that reads nothing for so long is dropped; it reconnects by itself and gets everything
RECONNECT_MS = 1_000

router = APIRouter(prefix="/api", tags=["live"])
hub = live_queries.Hub()
counters = Counters(hub)
_boot = f"{time.time_ns():x}"  # the ids of messages are valid only for this process
_projector: Projector | None = None
_clients = 0


def start() -> None:
    """Start the projector. Call it inside the event loop that serves the pages."""
    global _projector
    hub.loop = asyncio.get_running_loop()
    _projector = Projector(hub.changed)
    _projector.start()


def stop() -> None:
    """Stop the projector."""
    if _projector is not None:
        _projector.stop()


def message(event: str, data: Any, id: str | None = None) -> bytes:
    """Return one server-sent event."""
    numbered = f"id: {id}\n" if id is not None else ""
    return f"event: {event}\n{numbered}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


async def messages(query: live_queries.Query, last_id: str | None) -> AsyncIterator[bytes]:
    """Yield the messages for one page, for as long as it listens."""
    live_query, news = hub.live_query(query), asyncio.Event()
    live_query.attach(news)
    counters.attach(news)
    try:
        yield f"retry: {RECONNECT_MS}\n\n".encode()
        yield message("history", {"ticks": list(counters.history)})
        page = PageCopy(live_query, last_id)
        ticks = counters.version
        news.set()
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    await news.wait()
            except TimeoutError:
                yield b": keep-alive\n\n"
            news.clear()
            if changes := page.changes():
                yield message("rows", changes, page.id)
            if counters.version != ticks:
                ticks = counters.version
                yield message("tick", counters.history[-1])
    finally:
        live_query.detach(news)
        counters.detach(news)


class PageCopy:
    """The rows that one page has. A page that missed many answers of its query still gets only the difference."""

    def __init__(self, live_query: live_queries.LiveQuery, last_id: str | None = None) -> None:
        self.live_query = live_query
        self.last_id = last_id
        self.since = time.monotonic()
        self.rows: dict[str, live_queries.Row] | None = None

    @property
    def id(self) -> str:
        """The name of the rows at this moment."""
        return f"{_boot}.{hash(self.live_query.query) & 0xFFFFFFFF:x}.{self.live_query.version}"

    def changes(self) -> dict[str, Any] | None:
        """Return the difference since the last call, or None."""
        if self.live_query.asked_at < self.since:
            return None  # this answer is older than the page
        now = {row["id"]: row for row in self.live_query.rows}
        if self.rows is None and self.last_id == self.id:
            self.rows = now  # the page was away for a moment and has missed nothing
        before = self.rows
        if before is not None and now == before and list(now) == list(before):
            return None
        self.rows = now
        changed = [row for id, row in now.items() if before is None or before.get(id) != row]
        return {"rows": changed, "ids": list(now)}


class EventStream(Response):
    """Response that sends messages until the client leaves or reads too slowly."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        global _clients
        _clients += 1
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            _clients -= 1
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for part in self.source:
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        except (TimeoutError, OSError):
            return
        finally:
            await self.source.aclose()  # type: ignore[attr-defined]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get(
    "/live",
    summary="Follow runs and counters",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def live(
    lane: Lane | None = None,
    state: State | None = None,
    job: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(pattern=RUN_ID)] = None,
    run: Annotated[str | None, Query(pattern=RUN_ID, description="One run only.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Follow the newest runs, filtered as in `GET /api/runs`, and the counters: `curl -N …/api/live?lane=raw`."""
    if job is not None:
        job_named(job)
    if _clients >= MAX_CLIENTS:
        raise Refused(503, "too_many_pages", "too many pages are open; close some", {"Retry-After": "30"})
    return EventStream(messages(live_queries.Query(lane, state, job, before, run), last_event_id))
