"""Rows of comparisons: the state of each comparison in the database. It is the truth until the record is written.

WAITING ──> RUNNING ──> ENDED      one comparison runs at a time, because two would disturb each other
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy import delete as sql_delete

from cars_bot import database, runs
from cars_bot.comparisons.request import ComparisonRequest, checked
from cars_bot.database.models import comparisons
from cars_bot.database.models import runs as runs_table
from cars_bot.errors import InvalidArguments
from cars_bot.processes import clock


@dataclass(frozen=True)
class Comparison:
    """A comparison as its row has it. Times are in seconds since 1970."""

    id: str
    request: ComparisonRequest
    state: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    stopped_at: float | None  # a person has asked for its end
    submitted: int  # jobs that were submitted on each lane
    marks: list[dict[str, Any]]  # the faults that were caused: {"at", "what", "lane", "detail"}


def create(request: ComparisonRequest) -> Comparison:
    """Store a new comparison, and return it. It begins when the earlier ones have ended.

    Raises:
        StorageUnavailable: nothing was stored.
    """
    new_id = runs.new_id()
    with database.writing() as connection:
        connection.execute(
            insert(comparisons).values(
                id=new_id,
                name=request.name,
                request=request.model_dump(mode="json"),
                state="WAITING",
                created_at=clock.now(),
                submitted=0,
                marks=[],
            )
        )
    return existing(new_id)


def take_over(about: dict[str, Any]) -> None:
    """Store a comparison that ended elsewhere, if it is not here yet. `about` is the record's comparison.json.

    Raises:
        InvalidArguments: its request cannot be read by this version.
        StorageUnavailable: nothing was stored.
    """
    request = checked(about["request"])
    columns = ("id", "created_at", "started_at", "ended_at", "stopped_at", "submitted", "marks")
    row = {name: about[name] for name in columns} | {"name": request.name, "state": "ENDED"}
    with database.writing() as connection:
        database.insert_if_new(connection, comparisons, row | {"request": request.model_dump(mode="json")})


def delete(comparison: str) -> None:
    """Delete an ended comparison.

    Raises:
        InvalidArguments: there is no such comparison, or it has not ended.
        StorageUnavailable: nothing was deleted.
    """
    with database.writing() as connection:
        its = (comparisons.c.id == comparison) & (comparisons.c.state == "ENDED")
        if connection.execute(sql_delete(comparisons).where(its)).rowcount != 1:
            raise InvalidArguments("no comparison of that id has ended; ./kit comparisons list")


def find(comparison: str) -> Comparison | None:
    """Return the comparison with that id, or None."""
    with database.statements() as connection:
        row = connection.execute(select(comparisons).where(comparisons.c.id == comparison)).one_or_none()
    return None if row is None else _from(row)


def existing(comparison: str) -> Comparison:
    """Return the comparison with that id. It must exist."""
    found = find(comparison)
    assert found is not None, f"comparison {comparison} was deleted"
    return found


def newest(limit: int = 50) -> list[Comparison]:
    """Return the newest comparisons, newest first."""
    with database.statements() as connection:
        found = connection.execute(select(comparisons).order_by(comparisons.c.id.desc()).limit(limit)).all()
    return [_from(row) for row in found]


def current() -> Comparison | None:
    """Return the comparison that runs, or else the oldest one that waits."""
    order = (comparisons.c.state == "WAITING", comparisons.c.id)
    with database.statements() as connection:
        wanted = select(comparisons).where(comparisons.c.state != "ENDED").order_by(*order).limit(1)
        row = connection.execute(wanted).one_or_none()
    return None if row is None else _from(row)


def start(comparison: Comparison) -> None:
    """Record that a comparison begins now."""
    _change(comparison.id, "WAITING", state="RUNNING", started_at=clock.now())


def end(comparison: Comparison) -> None:
    """Record that a comparison has ended. Call it when its record is written."""
    _change(comparison.id, "RUNNING", state="ENDED", ended_at=clock.now())


def stop(comparison: str) -> None:
    """Ask for the end of a comparison. The conductor revokes its open runs and writes the record."""
    with database.writing() as connection:
        its = (comparisons.c.id == comparison) & (comparisons.c.state != "ENDED") & comparisons.c.stopped_at.is_(None)
        connection.execute(update(comparisons).where(its).values(stopped_at=clock.now()))


def mark(comparison: Comparison, marks: list[dict[str, Any]]) -> None:
    """Store the faults that were caused so far."""
    _change(comparison.id, "RUNNING", marks=marks)


def submit(comparison: Comparison, rows: list[dict[str, Any]], upto: int) -> bool:
    """Store runs, and that the first `upto` jobs are submitted, in one transaction. False: another process did it."""
    its = (comparisons.c.id == comparison.id) & (comparisons.c.submitted == comparison.submitted)
    with database.writing() as connection:
        if connection.execute(update(comparisons).where(its).values(submitted=upto)).rowcount != 1:
            return False
        runs.insert_all(connection, rows)
    return True


def runs_of(comparison: str) -> list[dict[str, Any]]:
    """Return the rows of all runs of a comparison, oldest first."""
    wanted = select(runs_table).where(runs_table.c.comparison == comparison)
    with database.statements() as connection:
        return [dict(row) for row in connection.execute(wanted.order_by(runs_table.c.id)).mappings()]


def at_work(comparison: str, lane: str) -> list[dict[str, Any]]:
    """Return the rows of its runs on `lane` that a process executes now."""
    its = (runs_table.c.comparison == comparison) & (runs_table.c.lane == lane)
    wanted = select(runs_table).where(its, runs_table.c.state == "IN_PROGRESS")
    with database.statements() as connection:
        return [dict(row) for row in connection.execute(wanted).mappings()]


def open_runs(comparison: str, limit: int | None = None, lane: str | None = None) -> list[str]:
    """Return the ids of its runs that have not ended, at most `limit`, on one lane or on all."""
    wanted = select(runs_table.c.id).where(runs_table.c.comparison == comparison, runs_table.c.finished_at.is_(None))
    if lane is not None:
        wanted = wanted.where(runs_table.c.lane == lane)
    with database.statements() as connection:
        return list(connection.execute(wanted.limit(limit)).scalars())


def ended_submissions(comparison: str) -> int:
    """Return the number of runs without a parent that have ended, on all lanes together."""
    its = (
        (runs_table.c.comparison == comparison) & runs_table.c.parent.is_(None) & runs_table.c.finished_at.is_not(None)
    )
    with database.statements() as connection:
        return int(connection.execute(select(func.count()).select_from(runs_table).where(its)).scalar_one())


def _change(comparison: str, before: str, **values: Any) -> None:
    with database.writing() as connection:
        its = (comparisons.c.id == comparison) & (comparisons.c.state == before)
        connection.execute(update(comparisons).where(its).values(values))


def _from(row: Row[Any]) -> Comparison:
    request = ComparisonRequest.model_validate(row.request)
    return Comparison(
        row.id,
        request,
        row.state,
        row.created_at,
        row.started_at,
        row.ended_at,
        row.stopped_at,
        row.submitted,
        row.marks,
    )
