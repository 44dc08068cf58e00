"""execute(delivery) -> Outcome: what happens to a run in a worker, the same in every lane.

    look the run up ── ended already? ──> AlreadyEnded: the message is a copy, nothing is done
         │
    call the job's function; it gathers its writes
         │
    one transaction: the outcome, the writes, the effects, the next runs ──> only then may the lane acknowledge

Getting here (broker, acknowledgement, time limits, waiting for a retry) is the lanes' business; they differ, this
does not.
"""

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Connection

from cars_bot import database, ledger, rate_limit, runs
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Context, Step
from cars_bot.crash import crash_point
from cars_bot.errors import (
    InvalidArguments,
    Permanent,
    Retryable,
    StorageUnavailable,
    Throttled,
    TimeLimitExceeded,
)
from cars_bot.models import effects

log = logging.getLogger(__name__)

WAIT_FOR_STORAGE = 2.0  # seconds until a delivery is tried again when the database could not be used
MAX_RESULT_BYTES = 256 * 1024


@dataclass(frozen=True)
class Delivery:
    """A message as the lane received it.

    Attributes:
        redelivered: the broker says it has handed it out before.
        steps: those that follow in its workflow.
        passes_on: the lane sends the next step's message itself; else the relay does.
        parent: the run that sent it, if it is one that came by hand.
    """

    run_id: str
    job: str
    args: dict[str, Any]
    lane: str
    redelivered: bool = False
    steps: Sequence[Step] = ()
    passes_on: bool = False
    parent: str | None = None


@dataclass(frozen=True)
class Done:
    """The job succeeded; `result` is stored with the run."""

    result: Any


@dataclass(frozen=True)
class Retry:
    """To be tried again after `after` seconds, because of `error`."""

    after: float
    error: str


@dataclass(frozen=True)
class Failed:
    """Will not be tried again, because of `error`."""

    error: str


@dataclass(frozen=True)
class Expired:
    """Waited longer than its queue's TTL and was not started."""


@dataclass(frozen=True)
class AlreadyEnded:
    """The run had ended in `state` before this attempt could end it; nothing this attempt wrote was kept."""

    state: str


Outcome = Done | Retry | Failed | Expired | AlreadyEnded


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


def execute(
    delivery: Delivery,
    *,
    worker: str,
    book: Book = DATABASE_BOOK,
    soft_limit_error: type[Exception] = TimeLimitExceeded,
) -> Outcome:
    """Run one attempt and make its outcome durable. Never raises for what the job does.

    Args:
        worker: the name shown for it.
        soft_limit_error: what the lane raises inside the job when its soft time limit is reached.

    Raises:
        UnknownJob: the catalogue has no such job; nothing was recorded.
    """
    job = job_named(delivery.job)
    crash_point("on-receipt")
    try:
        attempt = book.begin(delivery, job, worker)
    except StorageUnavailable as error:
        return Retry(WAIT_FOR_STORAGE, str(error))
    if not isinstance(attempt, int):
        _note(delivery, attempt, worker, 0)
        return attempt

    context = Context(
        delivery.run_id, delivery.lane, attempt, worker,
        args=delivery.args, steps=list(delivery.steps), passes_on=delivery.passes_on,
    )  # fmt: skip
    began = time.time()
    ledger.record("started", delivery.run_id, delivery.lane, worker=worker, attempt=attempt)
    outcome: Done | Retry | Failed = _attempt(job, delivery.args, context, soft_limit_error)
    crash_point("before-outcome")
    try:
        kept = book.finish(context, outcome, began)
    except StorageUnavailable as error:
        return Retry(WAIT_FOR_STORAGE, str(error))
    final: Outcome = outcome if kept else AlreadyEnded("ENDED")
    crash_point("after-outcome")
    _note(delivery, final, worker, attempt)
    return final


def _attempt(
    job: Job, args: dict[str, Any], context: Context, soft_limit_error: type[Exception]
) -> Done | Retry | Failed:
    """Call the job and say what its return or its error means for the run."""
    policy = job.policy
    try:
        bound = job.bind(**args)
        # feature: global rate limit
        if rate := policy.rate:
            budget = f"{job.queue.name}:{bound.get(rate.per)}" if rate.per else job.queue.name
            member = f"{context.run_id}/{context.attempt}/{time.time_ns()}"
            rate_limit.acquire(budget, limit=rate.limit, window=rate.window, member=member)
        # end
        result = job.function(context, **bound)
        if len(to_json(result)) > MAX_RESULT_BYTES:
            return Failed(f"the result is over {MAX_RESULT_BYTES} bytes; store it and return its id")
        return Done(result)
    except soft_limit_error:
        return Failed(f"TimeLimitExceeded: ran longer than {policy.soft_time_limit:.0f} s")
    except Throttled as error:
        context.attempt -= 1  # told to wait: the attempt is not used up
        return Retry(error.retry_after, str(error))
    except Retryable as error:
        if context.attempt >= policy.max_attempts:
            return Failed(f"{_words(error)} (attempt {context.attempt} of {policy.max_attempts})")
        return Retry(policy.backoff(context.attempt, random.Random()), _words(error))
    except PydanticSerializationError as error:
        return Failed(f"the result is not JSON: {error}")
    except (Permanent, InvalidArguments) as error:
        return Failed(_words(error))
    except Exception as error:
        log.exception("run %s: %s raised", context.run_id, job.name)
        return Failed(_words(error))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


_EVENTS = {
    Done: "succeeded",
    Retry: "retry",
    Failed: "failed",
    Expired: "expired",
    AlreadyEnded: "superseded",
}


def _note(delivery: Delivery, outcome: Outcome, worker: str, attempt: int) -> None:
    detail = getattr(outcome, "error", "") or getattr(outcome, "state", "")
    ledger.record(_EVENTS[type(outcome)], delivery.run_id, delivery.lane, worker=worker, attempt=attempt, detail=detail)


def end_from_outside(run_id: str, lane: str, error: str, worker: str) -> None:
    """Record FAILED for a run whose worker cannot: its child was killed past the hard limit."""
    if runs.end_open(run_id, "FAILED", error):
        ledger.record("failed", run_id, lane, worker=worker, detail=error)
