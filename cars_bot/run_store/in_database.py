"""Run store in the database: attempts and outcomes are in the runs table."""

from sqlalchemy import Connection, update

from cars_bot import database, ledger, outbox, runs
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.database.models import effects
from cars_bot.database.models import runs as table
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, PutAside, Refused, Retry, Wait
from cars_bot.processes import clock, liveness, names
from cars_bot.run_store import begin_attempt, record_outcome

LOOK_AGAIN = (1.0, 15.0)  # seconds until the message of a busy run comes again, at least and at most


class DatabaseStore:
    """A run store on the runs table. See `RunStore` for its methods."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `RunStore.begin`."""
        if delivery.redelivered:
            ledger.record("redelivered", delivery.run_id, delivery.lane, worker=worker)
        while True:
            if taken := begin_attempt.take(delivery, job, worker):
                return taken
            with database.statements() as connection:
                run = runs.find(connection, delivery.run_id)
            if run is None:
                found: Attempt | Refused | None = begin_attempt.take_new(delivery, job, worker)
            else:
                found = _why_not(run, delivery, job, worker)
            if found:  # otherwise the row has changed between the two statements
                return found

    def record(self, context: Context, outcome: Done | Retry | Failed, began: float) -> Refused | None:
        """See `RunStore.record`."""
        more = context.writes or context.effects or context.next_runs or context.steps
        writes = isinstance(outcome, Done) and more
        with database.writing() if writes else database.statements() as connection:
            kept = self._record(connection, context, outcome)
            if kept and writes:
                self._record_writes(connection, context)
        return None if kept else self._why_refused(context)

    def fail(self, run_id: str, error: str) -> bool:
        """See `RunStore.fail`."""
        return runs.end_open(run_id, "FAILED", error)

    def fail_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """See `RunStore.fail_waiting`."""
        return runs.end_waiting(run_id, lane, error, holder)

    def record_loss(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """See `RunStore.record_loss`."""
        begin_attempt.lost(run_id, lane, names.child(pid), worker, detail)

    def is_revoked(self, run_id: str) -> bool:
        """See `RunStore.is_revoked`."""
        with database.statements() as connection:
            run = runs.find(connection, run_id)
        return run is not None and run.state == "REVOKED"

    def _record_writes(self, connection: Connection, context: Context) -> None:
        for write in context.writes:
            write(connection)
        if context.effects:
            row = {"run_id": context.run_id, "made_at": clock.now()}
            rows = [row | {"kind": kind, "key": key, "detail": detail} for kind, key, detail in context.effects]
            connection.execute(effects.insert(), rows)
        if not context.next_runs and not context.steps:
            return
        run = runs.find(connection, context.run_id)
        comparison = run and run.comparison
        for job, args in context.next_runs:
            runs.accept(connection, job_named(job), context.lane, args, parent=context.run_id, comparison=comparison)
        # feature: workflow
        if context.steps:
            step, *others = context.steps
            runs.accept(
                connection, job_named(step.job), context.lane, context.taken.args, priority=step.priority,
                parent=context.run_id, run_id=step.run_id, steps=others, published=context.delivery.passes_on,
                comparison=comparison,
            )  # fmt: skip
        # end

    def _record(self, connection: Connection, context: Context, outcome: Done | Retry | Failed) -> bool:
        """Update the run's row. False: the run has ended, or another process holds it."""
        attempt = (connection, context.run_id, context.attempt, context.taken.holder)
        match outcome:
            # feature: results
            case Done(result):
                return record_outcome.end(*attempt, "DONE", result=result)
            # end
            case Retry(after, error, told):
                in_outbox = outbox.keeps(context.lane, after)
                return record_outcome.put_back(*attempt, after=after, error=error, told=told, in_outbox=in_outbox)
            case Failed(error):
                return record_outcome.end(*attempt, "FAILED", error=error)

    def _why_refused(self, context: Context) -> Refused:
        with database.statements() as connection:
            run = runs.find(connection, context.run_id)
        if run is None:
            return AlreadyEnded("DELETED")  # only ended runs are cleaned up; nobody knows any more how it ended
        return AtWork() if run.state in runs.OPEN else AlreadyEnded(run.state)


def _why_not(run: runs.Run, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused | None:
    """Return the reason against a take. If the last attempt was lost, take the next one. None: look again."""
    if run.state in runs.ENDED:
        return AlreadyEnded(run.state)
    if run.job != job.name:
        return PutAside(f"the run of this id is a {run.job}, and the message says {job.name}")
    now = clock.now()
    if run.state != "IN_PROGRESS":
        if run.state == "PENDING" and run.expires_at is not None and run.expires_at < now:
            return Expired() if _expire(run.id) else None
        return Wait(run.due_at - now, "it is not due yet") if run.due_at > now + begin_attempt.EARLY else None
    gone = liveness.is_gone(run.holder)
    if gone is None:  # without a lease, only a redelivered message shows it
        gone = delivery.redelivered
    if not gone and not liveness.is_overdue(run):
        if not delivery.redelivered:
            return AtWork()
        shortest, longest = LOOK_AGAIN
        return Wait(min(max(shortest, (now - run.started_at) / 4), longest), f"{run.worker} still works on it")
    return _after_a_loss(run, delivery, job, worker)


def _after_a_loss(run: runs.Run, delivery: Delivery, job: Job, worker: str) -> Attempt | Failed | None:
    # feature: poison-message limit
    if run.attempt >= run.max_attempts:
        error = f"its worker was lost during attempt {run.attempt} of {run.max_attempts}"
        found: Attempt | Failed | None = Failed(error) if begin_attempt.give_up(run, error) else None
    else:
        found = begin_attempt.retake(run, delivery, job, worker)
    # end
    if found and run.holder != begin_attempt.NOBODY:  # otherwise its parent has recorded the loss
        detail = "its process is gone or overdue"
        ledger.record("lost", run.id, delivery.lane, worker=run.worker or "", attempt=run.attempt, detail=detail)
        ledger.flush()  # the job may take this process down as well
    return found


def _expire(run_id: str) -> bool:
    ended = {"state": "EXPIRED", "error": runs.OVERDUE, "finished_at": clock.now()}
    with database.writing() as connection:
        waits = (table.c.id == run_id) & (table.c.state == "PENDING")
        return connection.execute(update(table).where(waits).values(ended)).rowcount == 1


DATABASE_STORE = DatabaseStore()
