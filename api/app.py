"""Web application: its routes, the threads that start and stop with it, and the two layers in front of it.

    python -m api --port 8080

It is one process. The relays, the reconciler and the projector are its threads.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api import errors
from api.comparing import conductor
from api.guard import Guard
from api.live import stream, waiting
from api.pages import comparison_pages, pages, rendering
from api.publishing import reconciler, relay
from api.routes import callback, comparisons, dead_letters, health, jobs, post_runs, posts, queues, runs, workers
from cars_bot import VERSION
from cars_bot.database import schema, tallies
from cars_bot.errors import CarsBotError
from cars_bot.processes import startup as startup

log = logging.getLogger(__name__)

FOLD_SECONDS = 2.0

DESCRIPTION = """
Run the same job through Celery, through a consumer written by hand on pika, or inside the request itself.

    KIT=http://127.0.0.1:8080    # the address of this page
    curl --json '{"job": "process_task", "lane": "raw", "args": {"task_num": 1, "timeout": 2}}' $KIT/api/runs
    curl "$KIT/api/runs/<id>?wait=30"

Every refusal has one shape, `{"error": …, "message": …}`. `error` is a word for a program to branch on. `message` says
what to do.
"""


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Create the tables and start the threads. Stop the threads at the end."""
    await run_in_threadpool(schema.create_tables)
    await run_in_threadpool(reconciler.start)
    relay.start()
    conductor.start()
    stream.start()
    post_runs.start()
    waiting.start()
    folding = asyncio.create_task(_fold_tallies())
    _spare_the_collector()
    yield
    folding.cancel()
    await run_in_threadpool(post_runs.stop)
    await run_in_threadpool(stream.stop)
    await run_in_threadpool(conductor.stop)
    await run_in_threadpool(reconciler.stop)
    await run_in_threadpool(relay.stop)


def _spare_the_collector() -> None:
    """Exclude from garbage collection the objects that live as long as the process: modules and their data.

    Requests make much garbage but few cycles. One full collection stopped all requests for 20 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _fold_tallies() -> None:
    """Add up the rows of the table of counts every 2 s, so that the table stays short."""
    while True:
        await asyncio.sleep(FOLD_SECONDS)
        try:
            await run_in_threadpool(tallies.fold)
        except CarsBotError as error:
            log.warning("tallies: %s", error)


def build() -> FastAPI:
    """The application with all its routes."""
    made = FastAPI(
        title="Same job, two lanes",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # our own page needs no CDN: pages/pages.py
        redoc_url=None,
    )
    for part in (
        runs,
        comparisons,
        jobs,
        queues,
        posts,
        workers,
        dead_letters,
        stream,
        callback,
        health,
        comparison_pages,
        pages,
    ):
        made.include_router(part.router)
    made.mount("/static", rendering.static)
    errors.install(made, as_page=pages.problem)
    return made


routes = build()
# These two are not added as the framework's middleware: five of its own layers would then come first.
app = Guard(post_runs.FrontDoor(routes))
