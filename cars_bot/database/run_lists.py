"""Questions about many runs: a page of them, and how many are in which state.

A list is read from an index that is sorted as the list is. So a page costs the same wherever it lies, and however many
runs there are. An index for each combination of filters would be too dear: every run pays for every index. Instead, a
list with filters is put together from the newest of each kind (lane, job, state) that fits; there are few kinds.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Text, and_, case, false, func, select, text, true, tuple_

from cars_bot.database import tallies
from cars_bot.database.models import effects, repeated_keys, runs
from cars_bot.runs import ENDED, LANES, OPEN, Run

FOLDED = 4_000  # characters; a list leaves out arguments and results that are longer, and cuts errors off
NEAREST = 5  # times as many runs as a page holds are looked through before the kinds are asked
MOST_KINDS = 400  # parts that SQLite takes in one question, and some to spare


def _folded(name: str) -> list[ColumnElement[Any]]:
    """A column of JSON as a list carries it: its value or, if that is long, NULL and its size in characters."""
    column = runs.c[name]
    size = func.length(column.cast(Text))
    return [case((size <= FOLDED, column)).label(name), case((size > FOLDED, size)).label(f"{name}_size")]


_LISTED: list[ColumnElement[Any]] = [
    *(column for column in runs.columns if column.name not in ("args", "result", "error", "steps")),
    *_folded("args"),
    *_folded("result"),
    func.substr(runs.c.error, 1, FOLDED).label("error"),
]
_NEWEST = (runs.c.accepted_at.desc(), runs.c.id.desc())


class Place(NamedTuple):
    """Where a page begins: after the run accepted at that time (seconds since 1970) that has this id."""

    at: float
    id: str


BEGINNING = Place(1e300, "")


def place_of(connection: Connection, run_id: str) -> Place | None:
    """Where the page after a run begins; None if there is no such run, and its id tells no time.

    A run that has been deleted still has its place: our ids begin with 48 bits of milliseconds.
    """
    at = connection.execute(select(runs.c.accepted_at).where(runs.c.id == run_id)).scalar_one_or_none()
    if at is not None:
        return Place(at, run_id)
    try:
        parsed = uuid.UUID(run_id)
    except ValueError:
        return None
    return Place(((parsed.int >> 80) + 1) / 1000, run_id) if parsed.version == 7 else None


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
    """The newest runs first, at most `limit`, only those older than the run `before`.

    Long values are folded: `args` and `result` are None then, and `args_size` and `result_size` say how long they are.
    """
    place = BEGINNING if before is None else place_of(connection, before)
    if place is None:
        return []
    filters = {"lane": lane, "state": state, "job": job, "parent": parent}
    wanted = {name: value for name, value in filters.items() if value is not None}
    listed = select(*_LISTED).order_by(*_NEWEST).limit(limit)
    if not wanted or parent is not None:  # a run has few children
        fits = and_(runs_before(place), *(runs.c[name] == value for name, value in wanted.items()))
        return connection.execute(listed.where(fits)).all()
    nearest = select(runs).where(runs_before(place)).order_by(*_NEWEST).limit(NEAREST * limit).subquery()
    fits = runs.c.id.in_(select(nearest.c.id).where(*(nearest.c[name] == value for name, value in wanted.items())))
    found = connection.execute(listed.where(fits)).all()
    if len(found) == limit:  # what is common is found among the nearest, whatever their kind
        return found
    return connection.execute(listed.where(_newest_of(connection, wanted, place, limit))).all()


def one(connection: Connection, run_id: str) -> Run | None:
    """The run with that id as a list has it, or None."""
    return connection.execute(select(*_LISTED).where(runs.c.id == run_id)).one_or_none()


def runs_before(place: Place) -> ColumnElement[bool]:
    """The condition that a run stands after that place in a list: it is older."""
    return tuple_(runs.c.accepted_at, runs.c.id) < tuple_(place.at, place.id)


# The newest of each kind. What is said of the state besides tells the database which index knows it.
_NEWEST_OF_KIND = """
    SELECT accepted_at, id FROM runs
    WHERE lane = {lane} AND job = {job} AND {state} AND (accepted_at, id) < (:at, :id)
    ORDER BY accepted_at DESC, id DESC LIMIT :limit
"""
_STATES = {
    "PENDING": ["finished_at IS NULL AND state = 'PENDING'"],
    **{state: [f"finished_at IS NULL AND state = '{state}' AND state IN {tallies.BEGUN}"] for state in OPEN[1:]},
    **{state: [f"ended_as = '{state}'"] for state in ENDED},
}
_ANY_STATE = ["finished_at IS NULL", *(_STATES[state][0] for state in ENDED)]


def _newest_of(connection: Connection, wanted: dict[str, str], place: Place, limit: int) -> ColumnElement[bool]:
    """The condition that a run is one of the newest `limit` that fit."""
    kinds = [
        (lane, job)
        for lane, job in tallies.kinds(connection)
        if wanted.get("lane", lane) == lane and wanted.get("job", job) == job
    ]
    if not kinds:
        return false()
    states = _STATES[wanted["state"]] if "state" in wanted else _ANY_STATE
    if len(kinds) * len(states) > MOST_KINDS:
        return and_(*(runs.c[name] == value for name, value in wanted.items()), runs_before(place))
    parts, values = _PARTS[connection.dialect.name](kinds, states)
    newest = f"SELECT id FROM ({parts}) AS newest ORDER BY accepted_at DESC, id DESC LIMIT :limit"  # noqa: S608
    condition = text(f"runs.id IN ({newest})").bindparams(**values, **place._asdict(), limit=limit)
    return cast("ColumnElement[bool]", condition)


Kinds = Sequence[tuple[str, str]]
Parts = tuple[str, dict[str, Any]]


def _part_for_each(kinds: Kinds, states: Sequence[str]) -> Parts:
    """For SQLite: a part for each kind, and their values by name."""
    parts = [
        _NEWEST_OF_KIND.format(lane=f":lane{number}", job=f":job{number}", state=state)
        for number, state in product(range(len(kinds)), states)
    ]
    values = {f"lane{n}": lane for n, (lane, _) in enumerate(kinds)} | {
        f"job{n}": job for n, (_, job) in enumerate(kinds)
    }
    return " UNION ALL ".join(f"SELECT * FROM ({part}) AS kind" for part in parts), values  # noqa: S608


def _part_for_all(kinds: Kinds, states: Sequence[str]) -> Parts:
    """For PostgreSQL: a loop over the kinds. To plan a hundred parts would take it longer than to read them."""
    listed = "unnest(CAST(:lanes AS text[]), CAST(:jobs AS text[])) AS kind (lane, job)"
    parts = [_NEWEST_OF_KIND.format(lane="kind.lane", job="kind.job", state=state) for state in states]
    looped = [f"SELECT newest.* FROM {listed} CROSS JOIN LATERAL ({part}) AS newest" for part in parts]  # noqa: S608
    return " UNION ALL ".join(looped), {"lanes": [lane for lane, _ in kinds], "jobs": [job for _, job in kinds]}


_PARTS: dict[str, Callable[[Kinds, Sequence[str]], Parts]] = {"sqlite": _part_for_each, "postgresql": _part_for_all}


def summary(connection: Connection, ids: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
    """Count all runs, or those with these ids, per lane and state, and the effects that happened more than once.

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
    """Per lane: how many effects the chosen ones are, and how many different ones."""
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
    """Conditions that pick the runs asked for, in parts a statement can hold."""
    if ids is None:
        yield true()
        return
    listed = list(ids)
    for start in range(0, len(listed), size):
        yield runs.c.id.in_(listed[start : start + size])
