"""The web application: which routes there are, what starts and stops with it, what stands in front of it.

    python -m api --port 8080

One process: relays, reconciler and projector are threads of it.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api import errors, front_door
from api.guard import Guard
from api.live import stream, waiting
from api.pages import pages
from api.publishing import reconciler, relay
from api.routes import callback, dead_letters, health, jobs, posts, queues, runs, workers
from cars_bot import VERSION
from cars_bot.database import schema, tallies
from cars_bot.errors import CarsBotError
from cars_bot.processes import startup as startup

log = logging.getLogger(__name__)

FOLD_SECONDS = 2.0

DESCRIPTION = """
The same job, through Celery, through a consumer written by hand on pika, or right inside the request.

    KIT=http://127.0.0.1:8080    # the address of this page
    curl --json '{"job": "process_task", "lane": "raw", "args": {"task_num": 1, "timeout": 2}}' $KIT/api/runs
    curl "$KIT/api/runs/<id>?wait=30"

Every refusal has one shape, `{"error": …, "message": …}`: a word to branch on, and a sentence that says what to do.
"""


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables, start the threads; at the end stop them."""
    await run_in_threadpool(schema.create_tables)
    await run_in_threadpool(reconciler.start)
    relay.start()
    stream.start()
    front_door.start()
    waiting.start()
    folding = asyncio.create_task(_fold_tallies())
    _spare_the_collector()
    yield
    folding.cancel()
    await run_in_threadpool(front_door.stop)
    await run_in_threadpool(stream.stop)
    await run_in_threadpool(reconciler.stop)
    await run_in_threadpool(relay.stop)


def _spare_the_collector() -> None:
    """Have the garbage collector pass over what stays for ever: all modules, and what they have made so far.

    Requests make much garbage and few cycles. A collection of everything held all of them up for 20 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _fold_tallies() -> None:
    """Keep the table of counts short."""
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
        docs_url=None,  # ours needs no CDN: pages/pages.py
        redoc_url=None,
    )
    for part in (runs, jobs, queues, posts, workers, dead_letters, stream, callback, health, pages):
        made.include_router(part.router)
    made.mount("/static", pages.static)
    errors.install(made, as_page=pages.problem)
    return made


routes = build()
# Not added as the framework's middleware: five layers of its own would stand before these two.
app = Guard(front_door.FrontDoor(routes))
