"""Run lists: one page of the runs, the newest first, with filters.

An index has the same order as the list. So each page costs the same, for any number of runs. An index for each
combination of filters would cost too much, because each run pays for each index. Instead, a list with filters is built
from the newest runs of each kind that fits. A kind is a lane, a job and a state. There are few kinds.
"""

import uuid
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Text, and_, case, false, func, select, text, tuple_

from cars_bot.database import tallies
from cars_bot.database.models import runs
from cars_bot.runs import ENDED, OPEN, Run

FOLDED = 4_000  # characters; a list leaves out longer arguments and results, and cuts longer errors
NEAREST = 5  # this many pages of runs are searched first, before the search by kinds
MOST_KINDS = 400  # a question to SQLite may have so many parts, and a few more


def _folded(name: str) -> list[ColumnElement[Any]]:
    """Return a JSON column for a list: its value. A long value becomes NULL, with its size in characters."""
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
    """The place in the list just after a run: the run's `accepted_at` (seconds since 1970) and its id."""

    at: float
    id: str


BEGINNING = Place(1e300, "")


def place_of(connection: Connection, run_id: str) -> Place | None:
    """Return the place just after a run. None: there is no such run, and its id contains no time.

    A deleted run still has its place, because our ids begin with 48 bits of milliseconds.
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
    """Return at most `limit` runs that are older than the run `before`, the newest first.

    A long value is left out: `args` or `result` is None, and `args_size` or `result_size` is its size in characters.
    """
    place = BEGINNING if before is None else place_of(connection, before)
    if place is None:
        return []
    filters = {"lane": lane, "state": state, "job": job, "parent": parent}
    wanted = {name: value for name, value in filters.items() if value is not None}
    listed = select(*_LISTED).order_by(*_NEWEST).limit(limit)
    if not wanted or parent is not None:  # a run has only few children
        fits = and_(runs_before(place), *(runs.c[name] == value for name, value in wanted.items()))
        return connection.execute(listed.where(fits)).all()
    nearest = select(runs).where(runs_before(place)).order_by(*_NEWEST).limit(NEAREST * limit).subquery()
    fits = runs.c.id.in_(select(nearest.c.id).where(*(nearest.c[name] == value for name, value in wanted.items())))
    found = connection.execute(listed.where(fits)).all()
    if len(found) == limit:  # common runs are among the nearest ones of any kind
        return found
    return connection.execute(listed.where(_newest_of(connection, wanted, place, limit))).all()


def one(connection: Connection, run_id: str) -> Run | None:
    """Return the run with that id, with the columns of a list, or None."""
    return connection.execute(select(*_LISTED).where(runs.c.id == run_id)).one_or_none()


def runs_before(place: Place) -> ColumnElement[bool]:
    """Return the condition that a run comes after that place in a list: it is older."""
    return tuple_(runs.c.accepted_at, runs.c.id) < tuple_(place.at, place.id)


# The newest runs of one kind. The further conditions on the state show the database which index fits.
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
    """Return the condition that a run is one of the newest `limit` runs that fit."""
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
    """Return the SQL for SQLite, one part for each kind, with the values by name."""
    parts = [
        _NEWEST_OF_KIND.format(lane=f":lane{number}", job=f":job{number}", state=state)
        for number, state in product(range(len(kinds)), states)
    ]
    values = {f"lane{n}": lane for n, (lane, _) in enumerate(kinds)} | {
        f"job{n}": job for n, (_, job) in enumerate(kinds)
    }
    return " UNION ALL ".join(f"SELECT * FROM ({part}) AS kind" for part in parts), values  # noqa: S608


def _part_for_all(kinds: Kinds, states: Sequence[str]) -> Parts:
    """Return the SQL for PostgreSQL, a loop over the kinds. It plans a hundred parts more slowly than it reads them."""
    listed = "unnest(CAST(:lanes AS text[]), CAST(:jobs AS text[])) AS kind (lane, job)"
    parts = [_NEWEST_OF_KIND.format(lane="kind.lane", job="kind.job", state=state) for state in states]
    looped = [f"SELECT newest.* FROM {listed} CROSS JOIN LATERAL ({part}) AS newest" for part in parts]  # noqa: S608
    return " UNION ALL ".join(looped), {"lanes": [lane for lane, _ in kinds], "jobs": [job for _, job in kinds]}


_PARTS: dict[str, Callable[[Kinds, Sequence[str]], Parts]] = {"sqlite": _part_for_each, "postgresql": _part_for_all}
