"""execute(delivery) -> Outcome: what happens to a run in a worker, the same in every lane.

    take the run's next attempt ── ended, not due, somebody is at it? ──> the outcome says so, and nothing is done
         │
    call the job's function; it gathers its writes
         │
    one transaction: the outcome, the writes, the effects, the next runs ──> only then may the lane acknowledge
         │
    the database is away? The outcome is in hand: it is stored again, and the job is not done again

Getting here (broker, acknowledgement, time limits, waiting for a retry) is the lanes' business; they differ, this
does not.
"""

import logging
import math
import random
import re
import time
from typing import Any

from pydantic_core import PydanticSerializationError

from cars_bot import ledger, rate_limit, runs
from cars_bot.boundary.outside import clean
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Context
from cars_bot.errors import (
    InvalidArguments,
    OverBudget,
    Permanent,
    Retryable,
    StorageUnavailable,
    Throttled,
    TimeLimitExceeded,
)
from cars_bot.outcome import (
    AlreadyEnded,
    Attempt,
    AtWork,
    Delivery,
    Done,
    Expired,
    Failed,
    Outcome,
    PutAside,
    Refused,
    Retry,
    Wait,
)
from cars_bot.processes import clock, liveness
from cars_bot.processes.crash import crash_point
from cars_bot.reporting.book import DATABASE_BOOK, Book

log = logging.getLogger(__name__)

WAIT_FOR_STORAGE = 2.0  # seconds until a delivery comes again when the database could not be used
STORE_AGAIN = (0.1, 2.0)  # seconds between two tries to store an outcome: at first, and at most
INLINE_PATIENCE = 10.0  # seconds for these tries inside an HTTP request; a worker's last until the hard limit
HELD_SECONDS = 0.01  # a message that waited in its worker for longer than this has a line of its own in the ledger
MAX_RESULT_BYTES = 256 * 1024
MAX_ERROR = 4_000  # characters

_IS_ID = re.compile(r"[\x21-\x7e]{1,36}")

# Told to wait: how often at most, for how many seconds in all, and the longest pause that we add by ourselves.
PATIENCE = {True: (30, 3_600.0, 60.0), False: (5_000, 86_400.0, 1.0)}  # by the other side; by our own budget


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
        StorageUnavailable: inline only: the outcome could not be stored within `INLINE_PATIENCE`.
    """
    job = job_named(delivery.job)
    crash_point("on-receipt")
    attempt = _begin(delivery, job, worker, book, soft_limit_error)
    if not isinstance(attempt, Attempt):
        _note(delivery, attempt, worker, 0)
        return attempt

    began = clock.now()
    context = Context(
        delivery.run_id, delivery.lane, attempt.number, worker, args=attempt.args, steps=list(attempt.steps),
        passes_on=delivery.passes_on, holder=attempt.holder,
    )  # fmt: skip
    if delivery.received_at and began - delivery.received_at > HELD_SECONDS:
        ledger.record("delivered", delivery.run_id, delivery.lane, worker=worker, at=delivery.received_at)
    ledger.record("started", delivery.run_id, delivery.lane, worker=worker, attempt=attempt.number)
    patience = INLINE_PATIENCE if delivery.lane == "inline" else delivery.limit or job.policy.hard_time_limit
    outcome: Done | Retry | Failed | None = None
    try:
        outcome = _attempt(job, attempt, context, soft_limit_error)
        crash_point("before-outcome")
        decided = clock.now()
        final = _store(book, context, outcome, began, patience, soft_limit_error)
        crash_point("after-outcome")
        _note(delivery, final, worker, attempt.number, at=decided if isinstance(final, Retry) else None)
    except soft_limit_error as error:  # it struck between two steps
        final = _store(book, context, outcome or Failed(_words(error)), began, patience, soft_limit_error)
        _note(delivery, final, worker, attempt.number)
    return final


def _begin(
    delivery: Delivery, job: Job, worker: str, book: Book, soft_limit_error: type[Exception]
) -> Attempt | Refused:
    try:
        return book.begin(delivery, job, worker)
    except StorageUnavailable as error:
        return Wait(WAIT_FOR_STORAGE, str(error))
    except soft_limit_error:  # it would so the next time
        why = "its soft time limit leaves no time to begin"  # the attempt may be taken
        return put_aside(delivery.run_id, delivery.lane, why, worker, book, delivery.holder or liveness.me())
    except Exception as error:  # what the message holds fits into no row
        log.exception("run %s cannot be begun", delivery.run_id)
        return put_aside(delivery.run_id, delivery.lane, _words(error), worker, book)


def _attempt(job: Job, attempt: Attempt, context: Context, soft_limit_error: type[Exception]) -> Done | Retry | Failed:
    """Call the job and say what its return or its error means for the run."""
    policy = job.policy
    try:
        bound = job.bind(**attempt.args)
        # feature: global rate limit
        if rate := policy.rate:
            budget = f"{job.queue.name}:{bound.get(rate.per)}" if rate.per else job.queue.name
            member = f"{context.run_id}/{context.attempt}/{time.time_ns()}"
            rate_limit.acquire(budget, limit=rate.limit, window=rate.window, member=member)
        # end
        result = job.function(context, **bound)
        if len(runs.as_json(result)) > MAX_RESULT_BYTES:
            return Failed(f"the result is over {MAX_RESULT_BYTES} bytes; store it and return its id")
        return Done(result)
    except soft_limit_error:
        return Failed(f"TimeLimitExceeded: ran longer than {policy.soft_time_limit:.0f} s")
    except Throttled as error:
        return _told_to_wait(error, attempt)
    except Retryable as error:
        if attempt.number >= policy.max_attempts:
            return Failed(f"{_words(error)} (attempt {attempt.number} of {policy.max_attempts})")
        return Retry(policy.backoff(attempt.number, random.Random()), _words(error))
    except PydanticSerializationError as error:
        return Failed(f"the result is not JSON: {error}")
    except (Permanent, InvalidArguments) as error:
        return Failed(_words(error))
    except Exception as error:
        log.exception("run %s: %s raised", context.run_id, job.name)
        return Failed(_words(error))


def _told_to_wait(error: Throttled, attempt: Attempt) -> Retry | Failed:
    """Wait as told and never less than a pause that grows, whatever the other side says; and not for ever.

    It uses up no attempt, so the run's row counts how often it was told so, and for how long.
    """
    times, seconds, longest = PATIENCE[not isinstance(error, OverBudget)]
    told = error.retry_after if math.isfinite(error.retry_after) else seconds
    pause = max(told, min(longest, 2.0 ** min(attempt.waits, 10)) * random.uniform(0.5, 1.0))
    if attempt.waits >= times or attempt.waited + pause > seconds:
        before = f"after {attempt.waits} times and {attempt.waited:.0f} s of waiting in all"
        return Failed(f"{_words(error)}; {before}. It is not waited for longer than {times} times or {seconds:.0f} s.")
    return Retry(pause, clean(str(error)), told=True)


def _store(
    book: Book,
    context: Context,
    outcome: Done | Retry | Failed,
    began: float,
    patience: float,
    soft_limit_error: type[Exception],
) -> Outcome:
    """Make the outcome durable, however often it takes: what is in hand is stored again, and not worked out again.

    The database is away? Then it is tried until it is back, or until the hard limit ends this process; its successor
    finds the run held by somebody who is gone. The database will never take it? Then the run ends FAILED and says why.
    """
    give_up, pause = time.monotonic() + patience, 0.0
    in_words: Failed | None = None
    while True:
        try:
            if pause:
                time.sleep(pause)
            return outcome if book.finish(context, outcome, began) else AlreadyEnded("ENDED")
        except StorageUnavailable as error:
            pause = min(max(2 * pause, STORE_AGAIN[0]), STORE_AGAIN[1])
            log.warning("run %s: its outcome is stored again in %.1f s: %s", context.run_id, pause, error)
            if time.monotonic() > give_up:
                if context.lane == "inline":
                    raise
                return Wait(WAIT_FOR_STORAGE, str(error))
        except soft_limit_error:
            pass  # the job is done; nothing is left that a limit could shorten
        except Exception as error:
            log.exception("run %s: its outcome cannot be stored", context.run_id)
            if in_words is not None:
                return in_words  # not even that: the run is found again when its attempt is overdue
            outcome = in_words = Failed(f"its outcome cannot be stored: {_words(error)}")


def _words(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {error}"[:MAX_ERROR])


_EVENTS = {
    Done: "succeeded",
    Retry: "retry",
    Failed: "failed",
    Expired: "expired",
    AlreadyEnded: "superseded",
    AtWork: "superseded",
}


def _note(delivery: Delivery, outcome: Outcome, worker: str, attempt: int, at: float | None = None) -> None:
    if (event := _EVENTS.get(type(outcome))) is None:
        return
    detail = getattr(outcome, "error", "") or getattr(outcome, "state", "")
    ledger.record(event, delivery.run_id, delivery.lane, worker=worker, attempt=attempt, detail=detail, at=at)


def end_from_outside(run_id: str, lane: str, error: str, worker: str, book: Book = DATABASE_BOOK) -> bool:
    """Record FAILED for a run whose worker cannot: its child was killed past the hard limit.

    Returns:
        False: the run had ended before, or there is no such run.

    Raises:
        StorageUnavailable: it could not be recorded.
    """
    ended = book.end(run_id, error)
    if ended:
        ledger.record("failed", run_id, lane, worker=worker, detail=error)
    return ended


def put_aside(
    run_id: Any, lane: str, why: str, worker: str, book: Book = DATABASE_BOOK, holder: str | None = None
) -> PutAside | Wait:
    """End the open run of a message that no worker can act on, and say what becomes of the message. Never raises.

    Nobody knows who wrote the message. So a run of another lane is left alone, and one that is being worked on.

    Args:
        run_id: as the message names it; it may be anything.
        holder: a process that is not working on the run, although it may hold it.
    """
    why = clean(why[:MAX_ERROR])
    error = f"its message was put aside: {why}"
    try:
        if isinstance(run_id, str) and _IS_ID.fullmatch(run_id) and book.end_waiting(run_id, lane, error, holder):
            ledger.record("failed", run_id, lane, worker=worker, detail=error)
    except StorageUnavailable as away:
        return Wait(WAIT_FOR_STORAGE, str(away))
    except Exception:
        log.exception("the run of message %s is left as it is", run_id)
    return PutAside(why)
