"""The outbox: runs that were accepted and have yet to reach a broker, or have to reach it again.

A row is its own outbox: `published_at` is NULL until a broker has confirmed the message, and NULL again when a broker
seems to have lost it. Publishing is the relay's work (`api/relay.py`).
"""

import time
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, func, select, update

from cars_bot import database
from cars_bot.models import runs
from cars_bot.runs import OVERDUE, Run

BATCH_SIZE = 8_000_000  # characters of arguments

_unpublished = and_(runs.c.published_at.is_(None), runs.c.finished_at.is_(None))


def unpublished(connection: Connection, lane: str, limit: int = 500) -> Sequence[Run]:
    """Accepted runs of `lane` that no broker has confirmed yet, oldest first."""
    waiting = select(runs).where(_unpublished, runs.c.lane == lane).order_by(runs.c.id).limit(limit)
    return connection.execute(waiting.limit(_fitting(connection, waiting, limit))).all()


def _fitting(connection: Connection, waiting: Select[Any], limit: int) -> int:
    """How many of those that wait go into one batch: the arguments of all of them are in memory together."""
    sizes = connection.execute(waiting.with_only_columns(func.length(runs.c.args.cast(Text)))).scalars()
    totals = accumulate(sizes)
    return next((max(1, number) for number, total in enumerate(totals) if total > BATCH_SIZE), limit)


def mark_published(ids: Iterable[str]) -> None:
    """Note that the broker has confirmed these; a run that has ended meanwhile may be among them."""
    chosen = list(ids)
    if chosen:
        with database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id.in_(chosen)).values(published_at=time.time()))


def expire_overdue(now: float) -> list[str]:
    """End as EXPIRED what waited in its queue longer than the queue's TTL; return the ids."""
    overdue = and_(runs.c.finished_at.is_(None), runs.c.state == "PENDING", runs.c.expires_at < now)
    with database.writing() as connection:
        ended = connection.execute(
            update(runs).where(overdue).values(state="EXPIRED", finished_at=now, error=OVERDUE)
            .returning(runs.c.id)
        )  # fmt: skip
        return list(ended.scalars())


def publish_again(lane: str, *, pending_before: float, working_before: float, retrying_before: float) -> list[str]:
    """Put what a broker seems to have lost back into the outbox; a copy too many is harmless. Return the ids.

    Args:
        pending_before: PENDING runs that were published and due before this time are published again.
        working_before: IN_PROGRESS runs that started before it (beyond any time limit).
        retrying_before: RETRYING runs that were due before it.
    """
    lost = and_(
        runs.c.finished_at.is_(None),
        runs.c.lane == lane,
        runs.c.published_at.is_not(None),
        ((runs.c.state == "PENDING") & (runs.c.published_at < pending_before) & (runs.c.due_at < pending_before))
        | ((runs.c.state == "IN_PROGRESS") & (runs.c.started_at < working_before))
        | ((runs.c.state == "RETRYING") & (runs.c.due_at < retrying_before)),
    )
    with database.statements() as connection:
        if connection.execute(select(runs.c.id).where(lost).limit(1)).first() is None:
            return []
    with database.writing() as connection:
        return list(
            connection.execute(update(runs).where(lost).values(published_at=None).returning(runs.c.id)).scalars()
        )
