"""What the pages look at, kept fresh: a `View` is one query over the runs, and its newest answer.

A page is not sent events but what has changed in the answer to its query. So a filtered list stays exactly that list, a
page that was away catches up by itself, and however fast runs come and go, the cost is one query per view and interval.
Pages with the same query share the view; a view nobody looks at costs nothing. Counting is `pulse.py`'s business.
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
INTERVAL = 0.25  # seconds between two looks at the same query, at least
EASE = 10  # and at least so many times as long as the look itself took
UNASKED = 2.0  # seconds after which a view looks even if nobody said that anything changed

Row = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """What a page shows: the list with these filters, or one run."""

    lane: str | None = None
    state: str | None = None
    job: str | None = None
    before: str | None = None
    run: str | None = None

    def rows(self) -> list[Row]:
        """The runs it finds, newest first, as the page's table needs them."""
        with database.statements() as connection:
            if self.run is not None:
                found = run_lists.one(connection, self.run)
                return [] if found is None else [row(found)]
            listed = run_lists.page(
                connection, lane=self.lane, state=self.state, job=self.job, before=self.before, limit=PAGE_ROWS
            )
        return [row(run) for run in listed]


def row(run: runs.Run) -> Row:
    """A run as the table on the page shows it."""
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
    """Arguments as one would write them in a call, without those left at their defaults, cut to fit a table."""
    defaults = {p.name: p.default for p in JOBS[job].parameters} if job in JOBS else {}
    text = ", ".join(repr(value) for name, value in args.items() if defaults.get(name, ...) != value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


_versions = itertools.count(1)  # never the same twice, also when a view is forgotten and made again


class Watched:
    """Something that is looked at again and again while anyone watches. `version` is another one after every change."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.version = 0
        self.watchers: set[asyncio.Event] = set()
        self.task: asyncio.Task[None] | None = None

    def attach(self, watcher: asyncio.Event) -> None:
        """Have `watcher` set after every look."""
        self.watchers.add(watcher)
        if self.task is None:
            self.task = asyncio.create_task(self.follow())

    def detach(self, watcher: asyncio.Event) -> None:
        """The last one to leave stops the looking."""
        self.watchers.discard(watcher)
        if not self.watchers and self.task is not None:
            self.task.cancel()
            self.task = None

    def tell(self) -> None:
        """There has been a look."""
        for watcher in self.watchers:
            watcher.set()

    async def follow(self) -> None:
        """Look, for as long as anyone watches."""
        raise NotImplementedError


class View(Watched):
    """The newest answer to a query, in `rows`, and when it was asked for (`time.monotonic()`)."""

    def __init__(self, hub: "Hub", query: Query) -> None:
        super().__init__(hub)
        self.query = query
        self.rows: list[Row] = []
        self.looked_at = 0.0

    def attach(self, watcher: asyncio.Event) -> None:
        """See `Watched`; who comes in later wants a look of its own, not what was seen before."""
        super().attach(watcher)
        self.hub.note_change()

    async def follow(self) -> None:
        """Look after every change, but not more often than `INTERVAL`."""
        while True:
            stamp, began = self.hub.stamp, time.monotonic()
            try:
                rows = await run_in_threadpool(self.query.rows)
            except Exception as error:  # the database is away, or anything else: the page keeps what it has
                log.warning("view %s: %s", self.query, error)
            else:
                if rows != self.rows or not self.version:
                    self.rows, self.version = rows, next(_versions)
                self.looked_at = began
                self.tell()
            await asyncio.sleep(max(INTERVAL, EASE * (time.monotonic() - began)))
            await self.hub.change_after(stamp, UNASKED)

    def detach(self, watcher: asyncio.Event) -> None:
        """See `Watched`; the hub forgets a view that nobody watches."""
        super().detach(watcher)
        if not self.watchers:
            self.hub.views.pop(self.query, None)


class Hub:
    """All views, and the word from the projector that something has changed."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stamp = 0
        self.views: dict[Query, View] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Something has happened to a run. Callable from any thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.note_change)

    def note_change(self) -> None:
        """The same, from within the event loop."""
        self.stamp += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def change_after(self, stamp: int, seconds: float) -> None:
        """Wait until something has changed since `stamp`, but not longer than `seconds`."""
        if self.stamp != stamp:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def view(self, query: Query) -> View:
        """The view of `query`, shared by all who look at the same."""
        if query not in self.views:
            self.views[query] = View(self, query)
        return self.views[query]
