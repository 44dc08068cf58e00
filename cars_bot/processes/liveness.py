"""Liveness: the answer to "is this process gone?".

On the same machine the kernel answers at once and exactly. For a process on another machine or in another container,
only its lease is known. The worker's parent process renews the lease in the database. So a worker does not look dead
while a job keeps its child busy. A stopped process (SIGSTOP) counts as gone when its lease is over.

While the database is away, no process can renew. So a lease is over only if another process renewed without a gap.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, not_, select

from cars_bot import database
from cars_bot.database.models import workers
from cars_bot.processes import clock
from cars_bot.processes.names import family, place, stat

LEASE_SECONDS = 20.0


def is_gone(holder: str | None) -> bool | None:
    """Return whether the process of that name will never report again. None: unknown, because it has no lease.

    Raises:
        StorageUnavailable: the leases cannot be read.
    """
    if not holder:
        return True
    its_family, _, process = holder.partition("/")
    if its_family.rsplit("-", 2)[0] != place():
        return _lease_is_over(its_family)
    pid, _, start = process.partition("-")
    there = stat(int(pid)) if pid.isdecimal() else None
    if there is None or there[0] in "ZX" or there[1] != start:
        return True
    return there[0] in "Tt" and bool(_lease_is_over(its_family))


def is_lost(run: Any) -> bool:
    """Return whether a run is IN_PROGRESS in its row, but no process works on it any more.

    Raises:
        StorageUnavailable: the answer is unknown.
    """
    return run.state == "IN_PROGRESS" and bool(is_gone(run.holder) or is_overdue(run))


def is_overdue(run: Any) -> bool:
    """Return whether the run's attempt lasts longer than its limits allow."""
    return run.overdue_at is None or clock.now() > run.overdue_at


def _is_fresh() -> ColumnElement[bool]:
    """The condition that a lease is not over. A renewal in the future was made by a wrong clock and does not count."""
    now = clock.now()
    return workers.c.renewed_at.between(now - LEASE_SECONDS, now + LEASE_SECONDS)


def _lease_is_over(its_family: str) -> bool | None:
    with database.statements() as connection:
        over = connection.execute(select(not_(_is_fresh())).where(workers.c.family == its_family)).scalar_one_or_none()
        if not over:
            return None if over is None else False
        witness = select(workers.c.family).where(workers.c.since < clock.now() - LEASE_SECONDS, _is_fresh())
        return connection.execute(witness.limit(1)).first() is not None


def held(lane: str) -> set[str]:
    """Return the ids of the runs whose messages the workers of `lane` have received and not begun."""
    with database.statements() as connection:
        lists = connection.execute(select(workers.c.held).where(workers.c.lane == lane, _is_fresh())).scalars()
        return {run_id for ids in lists for run_id in ids or ()}


def others(lane: str) -> list[str]:
    """Return the families of the living workers of `lane`, without our own family."""
    with database.statements() as connection:
        fresh = (workers.c.lane == lane) & _is_fresh()
        families = connection.execute(select(workers.c.family).where(fresh)).scalars().all()
    return [name for name in families if name != family() and not _has_ended(name)]


def alive() -> list[dict[str, Any]]:
    """Return the living workers: {"name", "lane", "host", "pid", "queues"}, in the order of their names.

    Raises:
        StorageUnavailable: the leases cannot be read.
    """
    columns = ("name", "lane", "host", "pid", "queues")
    with database.statements() as connection:
        found = connection.execute(select(workers).where(_is_fresh()).order_by(workers.c.name)).mappings().all()
    return [{name: row[name] for name in columns} for row in found if not _has_ended(row["family"])]


def unserved(lane: str, queues: Iterable[str]) -> list[str]:
    """Return the queues that no living worker of `lane` consumes. Workers that report over HTTP are unknown here.

    Raises:
        StorageUnavailable: the leases cannot be read.
    """
    with database.statements() as connection:
        alive = select(workers.c.family, workers.c.queues).where((workers.c.lane == lane) & _is_fresh())
        found = connection.execute(alive).all()
    served = {queue for name, consumed in found if not _has_ended(name) for queue in consumed or ()}
    return [queue for queue in queues if queue not in served]


def _has_ended(its_family: str) -> bool | None:
    """Return whether a worker's parent process is gone."""
    return is_gone(f"{its_family}/{'-'.join(its_family.rsplit('-', 2)[1:])}")
