"""Run counts: the numbers of runs and effects, by lane and state."""

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, case, func, select, true

from cars_bot.database import tallies
from cars_bot.database.models import effects, repeated_keys, runs
from cars_bot.runs import ENDED, LANES, OPEN


def summary(connection: Connection, ids: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
    """Count all runs, or the runs with these ids, by lane and state. Count their effects and duplicates too.

    Returns:
        {lane: {"accepted", "pending", "in_progress", "retrying", "done", "failed", "expired", "revoked", "retried",
        "effects", "duplicated"}} for every lane. `duplicated` counts effects beyond one per idempotency key.
    """
    table: dict[str, dict[str, int]] = {
        lane: dict.fromkeys(["accepted", *map(str.lower, OPEN + ENDED), "retried", "effects", "duplicated"], 0)
        for lane in LANES
    }
    if ids is None:
        for lane, numbers in tallies.counts(connection).items():
            table[lane] |= {name.lower(): number for name, number in numbers.items()}
        for lane, happened, distinct in _effects(connection, effects.c.key.in_(select(repeated_keys.c.key))):
            table[lane]["duplicated"] = happened - distinct
        return table
    retried = func.sum(case((runs.c.attempt > 1, 1), else_=0))
    by_state = select(runs.c.lane, runs.c.state, func.count(), retried).group_by(runs.c.lane, runs.c.state)
    for chosen in _chosen(ids):
        for lane, state, count, again in connection.execute(by_state.where(chosen)):
            table[lane]["accepted"] += count
            table[lane][state.lower()] += count
            table[lane]["retried"] += int(again)
        for lane, happened, distinct in _effects(connection, chosen):
            table[lane]["effects"] += happened
            table[lane]["duplicated"] += happened - distinct
    return table


def _effects(connection: Connection, chosen: ColumnElement[bool]) -> Iterator[tuple[str, int, int]]:
    """Yield each lane with its number of chosen effects and its number of different keys among them."""
    per_key = (
        select(runs.c.lane, func.count().label("times"))
        .join(effects, effects.c.run_id == runs.c.id)
        .where(chosen)
        .group_by(runs.c.lane, effects.c.key)
        .subquery()
    )
    sums = select(per_key.c.lane, func.sum(per_key.c.times), func.count()).group_by(per_key.c.lane)
    for lane, happened, distinct in connection.execute(sums):
        yield lane, int(happened), distinct


def _chosen(ids: Iterable[str] | None, size: int = 500) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that choose these runs. Each one has few enough ids for one statement."""
    if ids is None:
        yield true()
        return
    listed = list(ids)
    for start in range(0, len(listed), size):
        yield runs.c.id.in_(listed[start : start + size])
