"""Outbox: accepted runs whose message has to reach a broker for the first time, or once more.

The outbox is a part of the runs table. `published_at` is NULL until a broker has confirmed the message. It is NULL
again when a broker seems to have lost the message. The relay publishes the messages (`api/publishing/relay.py`).
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, func, literal_column, select, update

from cars_bot import database
from cars_bot.database.models import runs
from cars_bot.processes import clock, liveness
from cars_bot.runs import OVERDUE, Run

BATCH_SIZE = 8_000_000  # characters of arguments in one batch

_unpublished = and_(runs.c.published_at.is_(None), runs.c.finished_at.is_(None))

CLOCK_SECONDS = 60.0  # an `accepted_at` further in the future is wrong
SHORT_WAIT = 10.0  # seconds that a Celery worker may hold a message that is not due
MAX_REPUBLISHED = 8  # the pauses double: 15, 30, 60, 120 … s, about an hour in all
AT_ONCE = 1_000  # runs in one round
LOST_TOO_OFTEN = (
    f"its message was lost {MAX_REPUBLISHED + 1} times: sent, gone from its queue, and no worker of this kit began it. "
    "Look for another program that reads this queue, then retry the run."
)
_WAITS = runs.c.state.in_(["PENDING", "RETRYING"])
GRACE_SECONDS = 15.0  # the time that a message may take from its queue to a worker's first report


def keeps(lane: str, wait: float) -> bool:
    """Return whether a run that is due in `wait` seconds waits in the outbox, and not as a message at the broker.

    A Celery worker keeps all messages that are not due in its memory, unacknowledged. After the consumer timeout
    (30 minutes) RabbitMQ closes the worker's connection. On Redis, each such message is delivered again as a copy.
    The messages of the raw lane wait in delay queues of the broker.
    """
    return lane == "celery" and wait > SHORT_WAIT


def _ready(lane: str) -> ColumnElement[bool]:
    ready = runs.c.lane == lane
    # feature: countdown/ETA, celery
    if lane == "celery":
        ready &= runs.c.due_at <= clock.now()
    # end
    return ready


def unpublished(connection: Connection, lane: str, limit: int = 500) -> Sequence[Run]:
    """Return accepted runs of `lane` that no broker has confirmed. The first due run comes first."""
    ready = select(runs).where(_unpublished, _ready(lane))
    waiting = ready.order_by(runs.c.due_at, runs.c.id).limit(limit)
    return connection.execute(waiting.limit(_fitting(connection, waiting, limit))).all()


def _fitting(connection: Connection, waiting: Select[Any], limit: int) -> int:
    """Return the number of waiting runs for one batch. The arguments of a whole batch are in memory together."""
    sizes = connection.execute(waiting.with_only_columns(func.length(runs.c.args.cast(Text)))).scalars()
    totals = accumulate(sizes)
    return next((max(1, number) for number, total in enumerate(totals) if total > BATCH_SIZE), limit)


def mark_published(ids: Iterable[str]) -> None:
    """Mark these runs as confirmed by the broker. A run among them may have ended meanwhile."""
    chosen = list(ids)
    if chosen:
        with database.one_statement() as connection:
            connection.execute(update(runs).where(runs.c.id.in_(chosen)).values(published_at=clock.now()))


def expire_overdue(now: float) -> list[str]:
    """End the runs that waited longer than their queue's TTL as EXPIRED. Return their ids."""
    overdue = and_(runs.c.finished_at.is_(None), runs.c.state == "PENDING", runs.c.expires_at < now)
    with database.writing() as connection:
        ended = connection.execute(
            update(runs).where(overdue).values(state="EXPIRED", finished_at=now, error=OVERDUE)
            .returning(runs.c.id)
        )  # fmt: skip
        return list(ended.scalars())


def set_right() -> list[str]:
    """Move runs with an `accepted_at` in the future into the present, and publish them again. Return their ids.

    The clock was ahead at their acceptance, and was corrected later. Unchanged, they would wait for that time.
    """
    now = clock.now()
    ahead = runs.c.accepted_at - now
    wrong = and_(runs.c.accepted_at > now + CLOCK_SECONDS, _WAITS)
    with database.statements() as connection:
        if connection.execute(select(runs.c.id).where(wrong).limit(1)).first() is None:
            return []
    right = {name: runs.c[name] - ahead for name in ("accepted_at", "due_at", "expires_at", "started_at")}
    with database.writing() as connection:
        moved = update(runs).where(wrong).values(right | {"published_at": None}).returning(runs.c.id)
        return list(connection.execute(moved).scalars())


def take_back(run_id: str) -> bool:
    """Make the relay publish a run again when it is due, so that nobody holds its message. False: it does not wait.

    Raises:
        StorageUnavailable: nothing was changed.
    """
    with database.writing() as connection:
        waits = (runs.c.id == run_id) & _WAITS
        return connection.execute(update(runs).where(waits).values(published_at=None)).rowcount == 1


def publish_again(lane: str) -> tuple[list[str], list[str]]:
    """Put the runs whose message a broker seems to have lost back into the outbox. A surplus copy is harmless.

    Call it only when the lane's queues are empty. A message is lost if its run was published, is due, and no living
    worker holds the message or works on the run. Each pause is twice as long as the one before: 15, 30, 60 … s. After
    `MAX_REPUBLISHED` times the run ends FAILED.

    Returns:
        The ids of the runs put back, and of the runs given up.
    """
    now = clock.now()
    patience = GRACE_SECONDS * literal_column("1").bitwise_lshift(func.coalesce(runs.c.republished, 0))
    due = (runs.c.due_at < now - patience) | (runs.c.state == "IN_PROGRESS")
    late = (runs.c.published_at < now - patience) & due
    published = and_(runs.c.finished_at.is_(None), runs.c.lane == lane, runs.c.published_at.is_not(None))
    wanted = (runs.c.id, runs.c.state, runs.c.attempt, runs.c.holder, runs.c.overdue_at, runs.c.republished)
    with database.statements() as connection:
        late_ones = connection.execute(select(*wanted).where(published, late).limit(AT_ONCE)).all()
    if not late_ones:
        return [], []
    held = liveness.held(lane)
    lost = [run for run in late_ones if liveness.is_lost(run) or (run.state != "IN_PROGRESS" and run.id not in held)]
    once_more = {"published_at": None, "republished": func.coalesce(runs.c.republished, 0) + 1}
    ended = {"state": "FAILED", "error": LOST_TOO_OFTEN, "finished_at": now}
    again: list[str] = []
    given_up: list[str] = []
    with database.writing() as connection:
        for run in lost:
            for_good = (run.republished or 0) >= MAX_REPUBLISHED
            as_seen = (runs.c.id == run.id) & (runs.c.state == run.state) & (runs.c.attempt == run.attempt)
            changed = update(runs).where(as_seen, late).values(ended if for_good else once_more)
            if connection.execute(changed).rowcount:
                (given_up if for_good else again).append(run.id)
    return again, given_up
