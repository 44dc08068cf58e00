"""Questions about many runs: a page of them, and how many are in which state."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true, tuple_

from cars_bot.models import effects, runs
from cars_bot.runs import ENDED, LANES, OPEN, Run


def page(
    connection: Connection,
    *,
    lane: str | None = None,
    state: str | None = None,
    job: str | None = None,
    parent: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Run]:
    """The newest runs first, at most `limit`, only those older than the id `before`."""
    wanted = {runs.c.lane: lane, runs.c.state: state, runs.c.job: job, runs.c.parent: parent}
    newest = (runs.c.accepted_at.desc(), runs.c.id.desc())
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if before is not None:
        last = select(runs.c.accepted_at).where(runs.c.id == before).scalar_subquery()
        conditions.append(tuple_(runs.c.accepted_at, runs.c.id) < tuple_(last, before))
    return connection.execute(select(runs).where(and_(true(), *conditions)).order_by(*newest).limit(limit)).all()


def summary(connection: Connection, ids: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
    """Count the runs per lane and state, and the effects that happened more than once.

    Returns:
        {lane: {"accepted", "pending", "in_progress", "retrying", "done", "failed", "expired", "revoked", "retried",
        "effects", "duplicated"}} for every lane. `duplicated` counts effects beyond one per idempotency key.
    """
    table: dict[str, dict[str, int]] = {
        lane: dict.fromkeys(["accepted", *map(str.lower, OPEN + ENDED), "retried", "effects", "duplicated"], 0)
        for lane in LANES
    }
    retried = func.sum(case((runs.c.attempt > 1, 1), else_=0))
    for chosen in _chosen(ids):
        for lane, state, count, again in connection.execute(
            select(runs.c.lane, runs.c.state, func.count(), retried).where(chosen).group_by(runs.c.lane, runs.c.state)
        ):
            table[lane]["accepted"] += count
            table[lane][state.lower()] += count
            table[lane]["retried"] += int(again)
        per_key = (
            select(runs.c.lane, func.count().label("times"))
            .join(effects, effects.c.run_id == runs.c.id)
            .where(chosen)
            .group_by(runs.c.lane, effects.c.key)
            .subquery()
        )
        for lane, happened, distinct in connection.execute(
            select(per_key.c.lane, func.sum(per_key.c.times), func.count()).group_by(per_key.c.lane)
        ):
            table[lane]["effects"] += int(happened)
            table[lane]["duplicated"] += int(happened) - distinct
    return table


def _chosen(ids: Iterable[str] | None, size: int = 500) -> Iterator[ColumnElement[bool]]:
    """Conditions that pick the runs asked for, in parts a statement can hold."""
    if ids is None:
        yield true()
        return
    listed = list(ids)
    for start in range(0, len(listed), size):
        yield runs.c.id.in_(listed[start : start + size])
