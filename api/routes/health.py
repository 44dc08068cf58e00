"""Two questions with different answers. Alive: the process answers at all. Ready: what is submitted would be accepted.

A broker that is away does not make the API unready: the outbox holds what is submitted until it is back. It is reported
all the same.
"""

import socket

from fastapi import APIRouter, Response
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from cars_bot import database, ledger, runs
from cars_bot.boundary import urls
from cars_bot.catalogue import job_named
from cars_bot.database import models
from cars_bot.errors import StorageUnavailable
from cars_bot.settings import settings

CONNECT_SECONDS = 0.5

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive?")
async def healthz() -> dict[str, str]:
    """Alive."""
    return {"status": "alive"}


@router.get("/readyz", summary="Ready?", responses={503: {"description": "The database takes nothing in"}})
def readyz(response: Response) -> dict[str, bool]:
    """Ready when a run could be accepted now; the rest is reported only."""
    ready = _accepts_a_run()
    if not ready:
        response.status_code = 503
    return {
        "ready": ready,
        "database": ready,
        "rabbitmq": _accepts_connections(settings().rmq_url),
        "celery_broker": _accepts_connections(settings().celery_broker_url),
        "redis": ledger.answers(),
    }


def _accepts_a_run() -> bool:
    """Whether the database takes what a submission writes: a run, in a transaction of its own. Nobody gets to see it.

    To read is not enough: a database on a full disk answers every question and takes nothing in.
    """
    try:
        with database.writing() as connection:
            probe = runs.accept(connection, job_named("debug_task"), "raw", {})
            connection.execute(delete(models.runs).where(models.runs.c.id == probe))
    except (StorageUnavailable, SQLAlchemyError):
        return False
    return True


def _accepts_connections(url: str) -> bool:
    at = urls.address(url)
    unix = isinstance(at, urls.Redis) and at.socket
    try:
        if unix:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(unix)
        else:
            socket.create_connection((at.host, at.port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
