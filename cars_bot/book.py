"""Where attempts are looked up and their outcomes written down.

A lane acknowledges a message only after `finish`: what the outcome brings with it (writes, effects, next runs) is
committed together with it or not at all.
"""

import time
from typing import Any, Protocol

from sqlalchemy import Connection

from cars_bot import database, runs
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Context
from cars_bot.models import effects
from cars_bot.outcome import AlreadyEnded, Delivery, Done, Expired, Failed, Retry


class Book(Protocol):
    """Where attempts are looked up and outcomes written down: the database, or the API over HTTP (`callback.py`)."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> int | Expired | Failed | AlreadyEnded:
        """Return this attempt's number, or the outcome if there is nothing to do."""
        ...

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """Commit the outcome with all the context holds; False if the run had ended before.

        Raises:
            StorageUnavailable: nothing was committed.
        """
        ...


class DatabaseBook:
    """The runs table."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> int | Expired | Failed | AlreadyEnded:
        """See `Book.begin`."""
        with database.statements() as connection:
            run = runs.standing(connection, delivery.run_id)
        if run is None:  # sent to the broker by hand: every execution is a run
            with database.writing() as connection:
                runs.adopt(connection, delivery.run_id, job, delivery.lane, delivery.args, delivery.parent)
            return 1
        if run.state in runs.ENDED:
            return AlreadyEnded(run.state)
        if run.state == "PENDING" and run.expires_at is not None and run.expires_at < time.time():
            runs.end_open(delivery.run_id, "EXPIRED", runs.OVERDUE)
            return Expired()
        if delivery.redelivered:
            if run.attempt >= run.max_attempts:
                error = f"its worker was lost during attempt {run.attempt} of {run.max_attempts}"
                runs.end_open(delivery.run_id, "FAILED", error)
                return Failed(error)
            runs.claim_again(delivery.run_id, worker)
        return int(run.attempt) + 1

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """See `Book.finish`."""
        more = context.writes or context.effects or context.next_runs or context.steps
        writes = isinstance(outcome, Done) and more
        with database.writing() if writes else database.statements() as connection:
            kept = runs.move(
                connection, context.run_id, attempt=context.attempt, worker=context.worker, began=began, **_row(outcome)
            )
            if kept and writes:
                self._keep(connection, context)
        return kept

    def _keep(self, connection: Connection, context: Context) -> None:
        for write in context.writes:
            write(connection)
        if context.effects:
            row = {"run_id": context.run_id, "made_at": time.time()}
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


def _row(outcome: Done | Retry | Failed) -> dict[str, Any]:
    """The outcome in the words of the runs table."""
    match outcome:
        # feature: results
        case Done(result):
            return {"to": "DONE", "result": result}
        # end
        case Retry(after, error):
            return {"to": "RETRYING", "error": error, "due_at": time.time() + after}
        case Failed(error):
            return {"to": "FAILED", "error": error}


DATABASE_BOOK = DatabaseBook()
