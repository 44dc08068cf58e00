"""Live queries: a `LiveQuery` is one query for runs and its newest answer. It is asked again while a page is open.

A page gets no events, but the changes in the answer to its query. So a filtered list stays exactly that list, and a
page that was away catches up by itself. The cost is one query per interval, however many runs come and go. Pages with
the same query share one `LiveQuery`. Without an open page there is no query. `counters.py` counts the runs.
"""

import asyncio
import itertools
import logging
import time
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from cars_bot import database, runs
from cars_bot.catalogue import JOBS
from cars_bot.database import run_lists

log = logging.getLogger(__name__)

PAGE_ROWS = 50
INTERVAL = 0.25  # seconds between two answers of the same query, at least
PAUSE_FACTOR = 10  # the pause is also at least so many times as long as the query took
POLL_SECONDS = 2.0  # seconds after which a query is asked again even if no event came

Row = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """The runs that a page shows: the list with these filters, or one run."""

    lane: str | None = None
    state: str | None = None
    job: str | None = None
    before: str | None = None
    run: str | None = None

    def rows(self) -> list[Row]:
        """Return the matching runs, newest first, as rows of the page's table."""
        with database.statements() as connection:
            if self.run is not None:
                found = run_lists.one(connection, self.run)
                return [] if found is None else [row(found)]
            listed = run_lists.page(
                connection, lane=self.lane, state=self.state, job=self.job, before=self.before, limit=PAGE_ROWS
            )
        return [row(run) for run in listed]


def row(run: runs.Run) -> Row:
    """Return a run as a row of the page's table."""
    return {
        "id": run.id,
        "lane": run.lane,
        "job": run.job,
        "call": call(run.job, run.args) if run.args is not None else f"… {run.args_size:,} characters …",
        "state": run.state,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "worker": run.worker,
        "accepted_at": run.accepted_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "due_at": run.due_at,
    }


BLANK: Row = {
    "id": "", "lane": "celery", "job": "", "call": "", "state": "PENDING", "attempt": 0, "max_attempts": 0,
    "worker": None, "accepted_at": 0.0, "started_at": None, "finished_at": None, "due_at": 0.0,
}  # fmt: skip


def call(job: str, args: dict[str, Any], longest: int = 60) -> str:
    """Return the arguments as in a call, without those at their defaults. The text is cut to fit a table."""
    defaults = {p.name: p.default for p in JOBS[job].parameters} if job in JOBS else {}
    text = ", ".join(repr(value) for name, value in args.items() if defaults.get(name, ...) != value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


_versions = itertools.count(1)  # never the same twice, even if a query is dropped and made again


class Watched:
    """Base of anything that is queried again and again while a page watches. `version` changes with every change."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.version = 0
        self.watchers: set[asyncio.Event] = set()
        self.task: asyncio.Task[None] | None = None

    def attach(self, watcher: asyncio.Event) -> None:
        """Set `watcher` after every answer from now on. The first watcher starts the queries."""
        self.watchers.add(watcher)
        if self.task is None:
            self.task = asyncio.create_task(self.follow())

    def detach(self, watcher: asyncio.Event) -> None:
        """Remove `watcher`. The last one to leave stops the queries."""
        self.watchers.discard(watcher)
        if not self.watchers and self.task is not None:
            self.task.cancel()
            self.task = None

    def wake(self) -> None:
        """Wake all watchers: there is a new answer."""
        for watcher in self.watchers:
            watcher.set()

    async def follow(self) -> None:
        """Query for as long as anyone watches."""
        raise NotImplementedError


class LiveQuery(Watched):
    """A query with its newest answer in `rows`, and the time of the question (`time.monotonic()`)."""

    def __init__(self, hub: "Hub", query: Query) -> None:
        super().__init__(hub)
        self.query = query
        self.rows: list[Row] = []
        self.asked_at = 0.0

    def attach(self, watcher: asyncio.Event) -> None:
        """See `Watched`. A later watcher gets a new answer, not only the stored one."""
        super().attach(watcher)
        self.hub.note_change()

    async def follow(self) -> None:
        """Query after every change, but not more often than every `INTERVAL` seconds."""
        while True:
            stamp, began = self.hub.stamp, time.monotonic()
            try:
                rows = await run_in_threadpool(self.query.rows)
            except Exception as error:  # for example the database is away; the page keeps its rows
                log.warning("live query %s: %s", self.query, error)
            else:
                if rows != self.rows or not self.version:
                    self.rows, self.version = rows, next(_versions)
                self.asked_at = began
                self.wake()
            await asyncio.sleep(max(INTERVAL, PAUSE_FACTOR * (time.monotonic() - began)))
            await self.hub.change_after(stamp, POLL_SECONDS)

    def detach(self, watcher: asyncio.Event) -> None:
        """See `Watched`. The hub drops a query without watchers."""
        super().detach(watcher)
        if not self.watchers:
            self.hub.live_queries.pop(self.query, None)


class Hub:
    """All live queries, and the signal of the projector that something has changed."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stamp = 0
        self.live_queries: dict[Query, LiveQuery] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Note that something has happened to a run. Callable from any thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.note_change)

    def note_change(self) -> None:
        """Note a change from inside the event loop."""
        self.stamp += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def change_after(self, stamp: int, seconds: float) -> None:
        """Wait until something has changed since `stamp`, but at most `seconds`."""
        if self.stamp != stamp:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def live_query(self, query: Query) -> LiveQuery:
        """Return the `LiveQuery` of `query`. All pages with the same query share it."""
        if query not in self.live_queries:
            self.live_queries[query] = LiveQuery(self, query)
        return self.live_queries[query]
