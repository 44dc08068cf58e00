"""The outbox: runs that were accepted and have yet to reach a broker, or have to reach it again.

A row is its own outbox: `published_at` is NULL until a broker has confirmed the message, and NULL again when a broker
seems to have lost it. Publishing is the relay's work (`api/relay.py`).
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from cars_bot import attempts, clock, database, liveness
from cars_bot.catalogue import JOBS
from cars_bot.models import runs
from cars_bot.runs import OVERDUE, Run

_unpublished = and_(runs.c.published_at.is_(None), runs.c.finished_at.is_(None))

SHORT_WAIT = 10.0  # seconds that a Celery worker may hold a message which is not due
MAX_REPUBLISHED = 8  # with pauses that double from GRACE_SECONDS on: about an hour
GRACE_SECONDS = 15.0  # how long a message may be on its way between an empty queue and a worker's first word


def keeps(lane: str, wait: float) -> bool:
    """Whether a run that is to be tried again in `wait` seconds waits here, instead of its message at the broker.

    A Celery worker holds what is not due in its own memory, unacknowledged: all of it, as many as there are. Past the
    broker's consumer timeout (30 minutes) the broker ends the worker's connection, and on Redis each becomes a copy.
    The raw lane's messages wait in delay queues of the broker.
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
    """Accepted runs of `lane` that no broker has confirmed yet, those first that are due first."""
    waiting = select(runs).where(_unpublished, _ready(lane))
    return connection.execute(waiting.order_by(runs.c.due_at, runs.c.id).limit(limit)).all()


def mark_published(ids: Iterable[str]) -> None:
    """Note that the broker has confirmed these; a run that has ended meanwhile may be among them."""
    now = clock.now()
    rows = [{"run_id": run_id, "now": now} for run_id in ids]
    if rows:
        with database.writing() as connection:
            connection.execute(
                update(runs).where(runs.c.id == bindparam("run_id")).values(published_at=bindparam("now")),
                rows,
            )


def expire_overdue(now: float) -> list[str]:
    """End as EXPIRED what waited in its queue longer than the queue's TTL; return the ids."""
    overdue = and_(runs.c.finished_at.is_(None), runs.c.state == "PENDING", runs.c.expires_at < now)
    with database.writing() as connection:
        ended = connection.execute(
            update(runs).where(overdue).values(state="EXPIRED", finished_at=now, error=OVERDUE)
            .returning(runs.c.id)
        )  # fmt: skip
        return list(ended.scalars())


def take_back(run_id: str) -> None:
    """Have the relay publish an open run again, when it is due: its message is not held until then."""
    with database.writing() as connection:
        waits = (runs.c.id == run_id) & runs.c.state.in_(["PENDING", "RETRYING"])
        connection.execute(update(runs).where(waits).values(published_at=None))


def publish_again(lane: str) -> tuple[list[str], list[str]]:
    """Put what a broker seems to have lost back into the outbox; a copy too many is harmless. To be asked for when the
    lane's queues are empty.

    Lost is what was published and is due, and is in no worker's hands: none holds its message, and none that is alive
    works on it. Each time the pause is twice as long, and after `MAX_REPUBLISHED` times the run ends FAILED.

    Returns:
        the ids of those put back, and of those given up.
    """
    now = clock.now()
    times = func.coalesce(runs.c.republished, 0)
    patience = GRACE_SECONDS * func.power(2, times)
    waits = runs.c.state.in_(["PENDING", "RETRYING"])
    late = and_(
        _published(lane),
        or_(
            waits & (runs.c.published_at < now - patience) & (runs.c.due_at < now - patience),
            (runs.c.state == "IN_PROGRESS") & (runs.c.taken_at < now - patience),
        ),
    )
    with database.statements() as connection:
        suspects = connection.execute(select(runs).where(late).limit(_AT_ONCE)).all()
    if not suspects:
        return [], []
    held = liveness.held(lane)
    lost = [run for run in suspects if _is_lost(run, held)]
    put_back = [run.id for run in lost if (run.republished or 0) < MAX_REPUBLISHED and _put_back(run)]
    given_up = [run.id for run in lost if (run.republished or 0) >= MAX_REPUBLISHED and _give_up(run)]
    return put_back, given_up
