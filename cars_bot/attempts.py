"""Attempts: the row says who holds a run, durably, before its job begins.

    take     PENDING or RETRYING, due  ──>  IN_PROGRESS, held by this process; one statement, so one of all copies wins
    retake   IN_PROGRESS, its holder gone  ──>  IN_PROGRESS, held by this process
    lost     IN_PROGRESS, its holder seen to die  ──>  IN_PROGRESS, held by nobody

Taking raises the attempt's number. Whoever stores an outcome names the number and the holder it was taken with
(`runs.end`, `runs.put_back`), so that a process that was taken for dead cannot end the attempt of its successor.

The row's job and arguments are the truth; a message only says which run is meant.
"""

from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, literal_column, update

from cars_bot import database, ledger
from cars_bot.catalogue import Job
from cars_bot.context import Step
from cars_bot.database.models import runs
from cars_bot.outcome import Attempt, Delivery
from cars_bot.processes import clock, liveness
from cars_bot.runs import Run, adopted

EARLY = 0.25  # seconds that a message may come before its run is due: clocks and delays are not exact
NOBODY = ""  # the holder of a run whose process was seen to die
GRACE_SECONDS = 15.0  # how long a parent may take to kill a child that is past its hard limit


# ---------------------------------------------------------------- taking

_TAKES = {
    "state": literal_column("'IN_PROGRESS'"),
    "attempt": runs.c.attempt + literal_column("1"),
    "worker": bindparam("by"),
    "holder": bindparam("me"),
    "overdue_at": bindparam("overdue"),
    "started_at": func.coalesce(runs.c.started_at, bindparam("now")),
}
_TOLD = tuple(runs.c[name] for name in ("attempt", "args", "steps", "waits", "waited"))

_take = database.Prepared(
    update(runs)
    .where(
        runs.c.id == bindparam("run_id"),
        runs.c.state.in_([literal_column("'PENDING'"), literal_column("'RETRYING'")]),
        runs.c.job == bindparam("its_job"),
        runs.c.due_at <= bindparam("now") + literal_column(str(EARLY)),
        runs.c.expires_at.is_(None)
        | (runs.c.expires_at >= bindparam("now"))
        | (runs.c.state != literal_column("'PENDING'")),
    )
    .values(_TAKES)
    .returning(*_TOLD)
)


def take(delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Take the next attempt of a run that waits and is due. None: it does not, or it is not this job's.

    Raises:
        StorageUnavailable: nobody knows whether it was taken; the message has to come again.
    """
    with database.statements() as connection:  # after which this process knows the shared clock
        return take_in(connection, delivery, job, worker)


def take_in(connection: Connection, delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """The same, in the caller's transaction: nothing is taken until that is committed."""
    values = {"run_id": delivery.run_id, "its_job": delivery.job, **_taker(delivery, job, worker)}
    rows = _take(connection, values).fetchall()
    return _attempt(rows[0], values["me"]) if rows else None


def _taker(delivery: Delivery, job: Job, worker: str) -> dict[str, Any]:
    now = clock.now()
    overdue = now + (delivery.limit or job.policy.hard_time_limit) + GRACE_SECONDS
    return {"by": worker[:128], "me": delivery.holder or liveness.me(), "now": now, "overdue": overdue}


def take_new(delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Insert the row of a run that was sent to the broker by hand, taken already. None: there is one by now.

    Raises:
        StorageUnavailable: it could not be written.
        Unstorable: it never can; there will be no row.
    """
    taker = _taker(delivery, job, worker)
    taken = {"state": "IN_PROGRESS", "attempt": 1, "worker": taker["by"], "holder": taker["me"],
             "overdue_at": taker["overdue"], "started_at": taker["now"]}  # fmt: skip
    row = adopted(delivery, job) | taken
    with database.writing() as connection:
        new = database.insert_if_new(connection, runs, row)
    return Attempt(1, delivery.args, tuple(delivery.steps), taker["me"]) if new else None


def retake(run: Run, delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Take the next attempt of a run whose last one was lost. None: somebody else was faster.

    Raises:
        StorageUnavailable: nobody knows whether it was taken.
    """
    taker = _taker(delivery, job, worker)
    statement = update(runs).where(_as_seen(run)).values(_TAKES).returning(*_TOLD)
    with database.writing() as connection:
        taken = connection.execute(statement, taker).one_or_none()
    return _attempt(taken, taker["me"]) if taken else None


def give_up(run: Run, error: str) -> bool:
    """End a run FAILED whose attempts were lost, all of them. False: somebody else has it by now.

    Raises:
        StorageUnavailable: it could not be written.
    """
    ended = update(runs).where(_as_seen(run)).values(state="FAILED", error=error, finished_at=clock.now())
    with database.writing() as connection:
        return connection.execute(ended).rowcount == 1


def _as_seen(run: Run) -> ColumnElement[bool]:
    """The run is still in the hands in which it was found."""
    holder = runs.c.holder.is_(None) if run.holder is None else runs.c.holder == run.holder
    return and_(runs.c.id == run.id, runs.c.state == "IN_PROGRESS", runs.c.attempt == run.attempt, holder)


def _attempt(told: Any, holder: str) -> Attempt:
    """What the database told of the run that we hold now."""
    number, args, steps, waits, waited = told
    return Attempt(number, _read(args), [Step(*step) for step in _read(steps) or ()], holder, waits or 0, waited or 0.0)


def _read(value: Any) -> Any:
    """A JSON value; the driver gives its text, or has read it already."""
    return from_json(value) if isinstance(value, str) else value


# ---------------------------------------------------------------- losing


def lost(run_id: str, lane: str, holder: str, worker: str, detail: str) -> None:
    """Note that a process died at a run. Its message comes again; whoever gets it goes on.

    Args:
        holder: how the name of the process begins (`liveness.child`).

    Raises:
        StorageUnavailable: not noted; whoever gets the message finds out.
    """
    at_it = (runs.c.id == run_id, runs.c.state == "IN_PROGRESS", runs.c.holder.startswith(holder, autoescape=True))
    with database.writing() as connection:
        attempt = connection.execute(
            update(runs).where(*at_it).values(holder=NOBODY).returning(runs.c.attempt)
        ).scalar_one_or_none()
    if attempt is not None:
        ledger.record("lost", run_id, lane, worker=worker, attempt=attempt, detail=detail)
