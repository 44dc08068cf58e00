"""Where attempts are taken and their outcomes written down.

A lane acknowledges a message only after `finish`: what the outcome brings with it (writes, effects, next runs) is
committed together with it or not at all.
"""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, update

from cars_bot import attempts, database, ledger, outbox, runs
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Context
from cars_bot.database.models import effects
from cars_bot.database.models import runs as table
from cars_bot.outcome import (
    AlreadyEnded,
    Attempt,
    AtWork,
    Delivery,
    Done,
    Expired,
    Failed,
    PutAside,
    Refused,
    Retry,
    Wait,
)
from cars_bot.processes import clock, liveness

LOOK_AGAIN = (1.0, 15.0)  # seconds at least and at most until a message comes again whose run somebody is at


class Book(Protocol):
    """Where attempts are taken and outcomes written down: the database, or the API over HTTP (`callback.py`)."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """Take the run's next attempt for this process, or say why there is nothing to do.

        Raises:
            StorageUnavailable: nobody knows whether it was taken; the message has to come again.
            Unstorable: the run has no row and never can have one.
        """
        ...

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """Commit the outcome with all the context holds; False if the run had ended, or is another's by now.

        Raises:
            StorageUnavailable: nothing was committed, or nobody knows; to be called again.
            Exception: the database will never take it.
        """
        ...

    def end(self, run_id: str, error: str) -> bool:
        """End a run FAILED whose worker cannot: its child was killed. False if it had ended.

        Raises:
            StorageUnavailable: nobody knows.
        """
        ...

    def end_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """End a run FAILED that waits in that lane, or that `holder` has taken and not begun. False if there is none.

        Raises:
            StorageUnavailable: nobody knows.
        """
        ...

    def lost(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """Note that our child with that process id died at a run.

        Raises:
            StorageUnavailable: not noted; whoever gets the message finds out.
        """
        ...

    def is_revoked(self, run_id: str) -> bool:
        """Whether a person has revoked the run.

        Raises:
            StorageUnavailable: nobody knows.
        """
        ...


class DatabaseBook:
    """The runs table."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `Book.begin`."""
        if delivery.redelivered:
            ledger.record("redelivered", delivery.run_id, delivery.lane, worker=worker)
        while True:
            if taken := attempts.take(delivery, job, worker):
                return taken
            with database.statements() as connection:
                run = runs.find(connection, delivery.run_id)
            found = attempts.take_new(delivery, job, worker) if run is None else _why_not(run, delivery, job, worker)
            if found:  # else somebody has changed the row between our two looks at it
                return found

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """See `Book.finish`."""
        more = context.writes or context.effects or context.next_runs or context.steps
        writes = isinstance(outcome, Done) and more
        with database.writing() if writes else database.statements() as connection:
            kept = _write_down(connection, context, outcome)
            if kept and writes:
                self._keep(connection, context)
        return kept

    def end(self, run_id: str, error: str) -> bool:
        """See `Book.end`."""
        return runs.end_open(run_id, "FAILED", error)

    def end_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """See `Book.end_waiting`."""
        return runs.end_waiting(run_id, lane, error, holder)

    def lost(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """See `Book.lost`."""
        attempts.lost(run_id, lane, liveness.child(pid), worker, detail)

    def is_revoked(self, run_id: str) -> bool:
        """See `Book.is_revoked`."""
        with database.statements() as connection:
            run = runs.find(connection, run_id)
        return run is not None and run.state == "REVOKED"

    def _keep(self, connection: Connection, context: Context) -> None:
        for write in context.writes:
            write(connection)
        if context.effects:
            row = {"run_id": context.run_id, "made_at": clock.now()}
            rows = [row | {"kind": kind, "key": key, "detail": detail} for kind, key, detail in context.effects]
            connection.execute(effects.insert(), rows)
        for job, args in context.next_runs:
            runs.accept(connection, job_named(job), context.lane, args, parent=context.run_id)
        # feature: workflow
        if context.steps:
            step, *others = context.steps
            runs.accept(
                connection, job_named(step.job), context.lane, context.args, priority=step.priority,
                parent=context.run_id, run_id=step.run_id, steps=others, published=context.passes_on,
            )  # fmt: skip
        # end


class ReadAheadBook(DatabaseBook):
    """The same for a process that has its next message at hand: it ends a run and takes the next in one transaction.

    That is for SQLite. There a transaction costs more than what is done in it: the lock, and every page read anew that
    another process may have changed. PostgreSQL would be asked four times instead of two.

    Args:
        following: returns the next message, or None: there is none, or it is not to be begun now. Whoever is given it
            here is given it, the same object, in the next call of `begin`.
    """

    def __init__(self, following: Callable[[], Delivery | None]) -> None:
        self._following = following
        self._taken: tuple[Delivery, Attempt] | None = None

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `Book.begin`."""
        taken, self._taken = self._taken, None
        if taken and taken[0] is delivery:
            return taken[1]
        return super().begin(delivery, job, worker)

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """See `Book.finish`."""
        following = self._following() if database.is_file() else None
        if following is None:
            return super().finish(context, outcome, began)
        with database.statements_together() as connection:
            kept = _write_down(connection, context, outcome)
            if kept and isinstance(outcome, Done):
                self._keep(connection, context)
            attempt = attempts.take_in(connection, following, job_named(following.job), context.worker)
        self._taken = (following, attempt) if attempt else None
        return kept


def _why_not(run: runs.Run, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused | None:
    """Say why a run could not be taken as it stands; take it if its last attempt was lost. None: look again."""
    if run.state in runs.ENDED:
        return AlreadyEnded(run.state)
    if run.job != job.name:
        return PutAside(f"the run of this id is a {run.job}, and the message says {job.name}")
    now = clock.now()
    if run.state != "IN_PROGRESS":
        if run.state == "PENDING" and run.expires_at is not None and run.expires_at < now:
            return Expired() if _expire(run.id) else None
        return Wait(run.due_at - now, "it is not due yet") if run.due_at > now + attempts.EARLY else None
    gone = liveness.is_gone(run.holder)
    if gone is None:  # it has no lease; that its message comes again is all that is known
        gone = delivery.redelivered
    if not gone and not liveness.is_overdue(run):
        if not delivery.redelivered:
            return AtWork()
        shortest, longest = LOOK_AGAIN
        return Wait(min(max(shortest, (now - run.started_at) / 4), longest), f"{run.worker} is at it")
    return _after_a_loss(run, delivery, job, worker)


def _after_a_loss(run: runs.Run, delivery: Delivery, job: Job, worker: str) -> Attempt | Failed | None:
    # feature: poison-message limit
    if run.attempt >= run.max_attempts:
        error = f"its worker was lost during attempt {run.attempt} of {run.max_attempts}"
        found: Attempt | Failed | None = Failed(error) if attempts.give_up(run, error) else None
    else:
        found = attempts.retake(run, delivery, job, worker)
    # end
    if found and run.holder != attempts.NOBODY:  # else its parent has told
        detail = "nothing is heard of its process"
        ledger.record("lost", run.id, delivery.lane, worker=run.worker or "", attempt=run.attempt, detail=detail)
        ledger.flush()  # the job may take this process down as well
    return found


def _expire(run_id: str) -> bool:
    ended = {"state": "EXPIRED", "error": runs.OVERDUE, "finished_at": clock.now()}
    with database.writing() as connection:
        waits = (table.c.id == run_id) & (table.c.state == "PENDING")
        return connection.execute(update(table).where(waits).values(ended)).rowcount == 1


def _write_down(connection: Connection, context: Context, outcome: Done | Retry | Failed) -> bool:
    """The outcome in the words of the runs table."""
    attempt = (connection, context.run_id, context.attempt, context.holder)
    match outcome:
        # feature: results
        case Done(result):
            return runs.end(*attempt, "DONE", result=result)
        # end
        case Retry(after, error, told):
            in_outbox = outbox.keeps(context.lane, after)
            return runs.put_back(*attempt, after=after, error=error, told=told, in_outbox=in_outbox)
        case Failed(error):
            return runs.end(*attempt, "FAILED", error=error)


DATABASE_BOOK = DatabaseBook()
