"""Two questions with different answers. Alive: the process answers at all. Ready: what is submitted would be accepted.

A broker that is away does not make the API unready: the outbox holds what is submitted until it is back. It is reported
all the same.
"""

import socket
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from sqlalchemy import text

from cars_bot import database, ledger
from cars_bot.errors import StorageUnavailable
from cars_bot.settings import settings

CONNECT_SECONDS = 0.5
PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive?")
async def healthz() -> dict[str, str]:
    """Alive."""
    return {"status": "alive"}


@router.get("/readyz", summary="Ready?", responses={503: {"description": "The database does not answer"}})
def readyz(response: Response) -> dict[str, bool]:
    """Ready when the database answers; the rest is reported only."""
    ready = _database_answers()
    if not ready:
        response.status_code = 503
    return {
        "ready": ready,
        "database": ready,
        "rabbitmq": _accepts_connections(settings().rmq_url),
        "celery_broker": _accepts_connections(settings().celery_broker_url),
        "redis": ledger.answers(),
    }


def _database_answers() -> bool:
    try:
        with database.statements() as connection:
            connection.execute(text("SELECT 1"))
    except StorageUnavailable:
        return False
    return True


def _accepts_connections(url: str) -> bool:
    parts = urlsplit(url)
    address = parts.hostname or "127.0.0.1", parts.port or PORTS.get(parts.scheme, 0)
    try:
        with socket.create_connection(address, CONNECT_SECONDS):
            return True
    except OSError:
        return False
