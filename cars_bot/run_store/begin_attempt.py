"""Attempts: before a job begins, the run's row durably names the process that holds the run.

    take     PENDING or RETRYING, due  ──>  IN_PROGRESS, held by this process; one statement, so one copy wins
    retake   IN_PROGRESS, its holder gone  ──>  IN_PROGRESS, held by this process
    lost     IN_PROGRESS, its holder's death seen  ──>  IN_PROGRESS, held by nobody

A take raises the attempt's number. Each stored outcome names this number and this holder
(`record_outcome.py`). So a process that was wrongly counted as dead cannot fail or put back the attempt of
its successor. Its success counts.

The row's job and arguments are the truth. A message only names the run.
"""

from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, literal_column, update

from cars_bot import database, ledger
from cars_bot.catalogue import Job
from cars_bot.context import Attempt, Delivery, Step
from cars_bot.database.models import runs
from cars_bot.processes import clock, names
from cars_bot.runs import Run, adopted

EARLY = 0.25  # seconds that a message may come before its run is due, because clocks and delays are not exact
NOBODY = ""  # the holder of a run after somebody saw its process die
GRACE_SECONDS = 15.0  # the time that a parent may take to kill a child past its hard limit


# ---------------------------------------------------------------- taking

_TAKES = {
    "state": literal_column("'IN_PROGRESS'"),
    "attempt": runs.c.attempt + literal_column("1"),
    "worker": bindparam("by"),
    "holder": bindparam("me"),
    "overdue_at": bindparam("overdue"),
    "started_at": func.coalesce(runs.c.started_at, bindparam("now")),
}
_RETURNED = tuple(runs.c[name] for name in ("attempt", "args", "steps", "waits", "waited"))

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
    .returning(*_RETURNED)
)


def take(delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Take the next attempt of a run that waits and is due. None: it does not wait, is not due, or has another job.

    Raises:
        StorageUnavailable: the take may have happened or not; the message has to come again.
    """
    with database.statements() as connection:  # this also compares our clock with the shared one
        return take_in(connection, delivery, job, worker)


def take_in(connection: Connection, delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Do the same in the caller's transaction: nothing is taken until its commit."""
    values = {"run_id": delivery.run_id, "its_job": delivery.job, **_taker(delivery, job, worker)}
    rows = _take(connection, values).fetchall()
    return _attempt(rows[0], values["me"]) if rows else None


def _taker(delivery: Delivery, job: Job, worker: str) -> dict[str, Any]:
    now = clock.now()
    overdue = now + (delivery.limit or job.policy.hard_time_limit) + GRACE_SECONDS
    return {"by": worker[:128], "me": delivery.holder or names.me(), "now": now, "overdue": overdue}


def take_new(delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Insert the row of a run that was sent to the broker by hand, as already taken. None: the row exists by now.

    Raises:
        StorageUnavailable: the row could not be written.
        Unstorable: the row can never be written.
    """
    taker = _taker(delivery, job, worker)
    taken = {"state": "IN_PROGRESS", "attempt": 1, "worker": taker["by"], "holder": taker["me"],
             "overdue_at": taker["overdue"], "started_at": taker["now"]}  # fmt: skip
    row = adopted(delivery, job) | taken
    with database.writing() as connection:
        new = database.insert_if_new(connection, runs, row)
    return Attempt(1, delivery.args, tuple(delivery.steps), taker["me"]) if new else None


def retake(run: Run, delivery: Delivery, job: Job, worker: str) -> Attempt | None:
    """Take the next attempt of a run whose last attempt was lost. None: another process was faster.

    Raises:
        StorageUnavailable: the take may have happened or not.
    """
    taker = _taker(delivery, job, worker)
    statement = update(runs).where(_as_seen(run)).values(_TAKES).returning(*_RETURNED)
    with database.writing() as connection:
        taken = connection.execute(statement, taker).one_or_none()
    return _attempt(taken, taker["me"]) if taken else None


def give_up(run: Run, error: str) -> bool:
    """End a run as FAILED, because all its attempts were lost. False: another process has it by now.

    Raises:
        StorageUnavailable: the end could not be written.
    """
    ended = update(runs).where(_as_seen(run)).values(state="FAILED", error=error, finished_at=clock.now())
    with database.writing() as connection:
        return connection.execute(ended).rowcount == 1


def _as_seen(run: Run) -> ColumnElement[bool]:
    """The condition that the run is as it was found: same attempt, same holder."""
    holder = runs.c.holder.is_(None) if run.holder is None else runs.c.holder == run.holder
    return and_(runs.c.id == run.id, runs.c.state == "IN_PROGRESS", runs.c.attempt == run.attempt, holder)


def _attempt(returned: Any, holder: str) -> Attempt:
    """Return the attempt that `holder` has now, from the columns that the take returned."""
    number, args, steps, waits, waited = returned
    return Attempt(number, _read(args), [Step(*step) for step in _read(steps) or ()], holder, waits or 0, waited or 0.0)


def _read(value: Any) -> Any:
    """Return a JSON value. The driver gives its text, or has decoded it already."""
    return from_json(value) if isinstance(value, str) else value


# ---------------------------------------------------------------- losing


def lost(run_id: str, lane: str, holder: str, worker: str, detail: str) -> None:
    """Record that a process died during a run. The run's message comes again, and its receiver goes on.

    Args:
        holder: the beginning of the process's name (`names.child`).

    Raises:
        StorageUnavailable: not recorded; the next receiver of the message finds out.
    """
    held_by_it = (runs.c.id == run_id, runs.c.state == "IN_PROGRESS", runs.c.holder.startswith(holder, autoescape=True))
    with database.writing() as connection:
        attempt = connection.execute(
            update(runs).where(*held_by_it).values(holder=NOBODY).returning(runs.c.attempt)
        ).scalar_one_or_none()
    if attempt is not None:
        ledger.record("lost", run_id, lane, worker=worker, attempt=attempt, detail=detail)
