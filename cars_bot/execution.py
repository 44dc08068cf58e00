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
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from cars_bot import ledger, rate_limit, runs
from cars_bot.book import DATABASE_BOOK, Book
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Context
from cars_bot.crash import crash_point
from cars_bot.errors import (
    InvalidArguments,
    Permanent,
    Retryable,
    StorageUnavailable,
    Throttled,
    TimeLimitExceeded,
)
from cars_bot.outcome import AlreadyEnded, Delivery, Done, Expired, Failed, Outcome, Retry

log = logging.getLogger(__name__)

WAIT_FOR_STORAGE = 2.0  # seconds until a delivery is tried again when the database could not be used
MAX_RESULT_BYTES = 256 * 1024


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
    decided = time.time()
    try:
        kept = book.finish(context, outcome, began)
    except StorageUnavailable as error:
        return Retry(WAIT_FOR_STORAGE, str(error))
    final: Outcome = outcome if kept else AlreadyEnded("ENDED")
    crash_point("after-outcome")
    _note(delivery, final, worker, attempt, at=decided if isinstance(final, Retry) else None)
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


def _note(delivery: Delivery, outcome: Outcome, worker: str, attempt: int, at: float | None = None) -> None:
    event, detail = _EVENTS[type(outcome)], getattr(outcome, "error", "") or getattr(outcome, "state", "")
    ledger.record(event, delivery.run_id, delivery.lane, worker=worker, attempt=attempt, detail=detail, at=at)


def end_from_outside(run_id: str, lane: str, error: str, worker: str) -> None:
    """Record FAILED for a run whose worker cannot: its child was killed past the hard limit."""
    if runs.end_open(run_id, "FAILED", error):
        ledger.record("failed", run_id, lane, worker=worker, detail=error)
