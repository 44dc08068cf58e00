"""Health: two questions with different answers. Alive: the process answers. Ready: it can accept a run now.

The API stays ready while a broker is away, because the outbox keeps the submitted runs until the broker is back. The
answer reports such a broker all the same.
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
    """Answer, as proof that the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", summary="Ready?", responses={503: {"description": "The database stores nothing"}})
def readyz(response: Response) -> dict[str, bool]:
    """Report whether a run can be accepted now. The servers' answers are reported too, but do not count."""
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
    """Return whether the database stores a run. The run is deleted in the same transaction, so nobody sees it.

    A read would prove too little: a database on a full disk answers every query and stores nothing.
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
