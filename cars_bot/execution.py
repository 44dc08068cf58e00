"""Execution: one attempt of a run in a worker. It is the same in every lane.

    take the run's next attempt ── has it ended, is it not due, is it taken? ──> return that outcome, and do nothing
         │
    call the job's function; the context collects its writes
         │
    one transaction: the outcome, the writes, the effects, the next runs ──> now the lane may acknowledge
         │
    is the database away? ──> store the same outcome again; the job does not run again

The lanes do the rest, each in its own way: broker, acknowledgement, time limits, waits before a retry.
"""

import logging
import math
import random
import time

from pydantic_core import PydanticSerializationError

from cars_bot import ledger, rate_limit, runs
from cars_bot.boundary.outside import clean
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.errors import OverBudget, Permanent, Retryable, StorageUnavailable, Throttled, TimeLimitExceeded
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, Outcome, Refused, Retry, Wait
from cars_bot.processes import clock, names
from cars_bot.processes.crash import crash_point
from cars_bot.run_store.ending import MAX_ERROR, WAIT_FOR_STORAGE, put_aside
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.run_store.protocol import RunStore

log = logging.getLogger(__name__)

STORE_AGAIN = (0.1, 2.0)  # seconds between two tries to store an outcome: 0.1, 0.2, 0.4, 0.8 …, at most 2
INLINE_PATIENCE = 10.0  # seconds for these tries inside an HTTP request; a worker tries until the hard limit
HELD_SECONDS = 0.01  # a message that waits longer in its worker gets its own event in the ledger
MAX_RESULT_BYTES = 256 * 1024

# Limits for a run that is told to wait: number of waits, seconds in all, and the longest pause that we choose.
PATIENCE = {True: (30, 3_600.0, 60.0), False: (5_000, 86_400.0, 1.0)}  # True: the other side; False: our own budget


def execute(
    delivery: Delivery,
    *,
    worker: str,
    store: RunStore = DATABASE_STORE,
    soft_limit_error: type[Exception] = TimeLimitExceeded,
) -> Outcome:
    """Run one attempt and make its outcome durable. An error of the job becomes an outcome and is not raised.

    Args:
        worker: the name of the worker, for the row and the ledger.
        soft_limit_error: the error that the lane raises inside the job at its soft time limit.

    Raises:
        UnknownJob: the catalogue has no such job; nothing was recorded.
        StorageUnavailable: inline only; the outcome could not be stored within `INLINE_PATIENCE`.
    """
    job = job_named(delivery.job)
    crash_point("on-receipt")
    attempt = _begin(delivery, job, worker, store, soft_limit_error)
    if not isinstance(attempt, Attempt):
        _note(delivery, attempt, worker, 0)
        return attempt

    began = clock.now()
    context = Context(delivery, attempt, worker, list(attempt.steps))
    if delivery.received_at and began - delivery.received_at > HELD_SECONDS:
        ledger.record("delivered", delivery.run_id, delivery.lane, worker=worker, at=delivery.received_at)
    ledger.record("started", delivery.run_id, delivery.lane, worker=worker, attempt=attempt.number)
    patience = INLINE_PATIENCE if delivery.lane == "inline" else delivery.limit or job.policy.hard_time_limit
    outcome: Done | Retry | Failed | None = None
    try:
        outcome = _attempt(job, attempt, context, soft_limit_error)
        crash_point("before-outcome")
        decided = clock.now()
        final = _store(store, context, outcome, began, patience, soft_limit_error)
        crash_point("after-outcome")
        _note(delivery, final, worker, attempt.number, at=decided if isinstance(final, Retry) else None)
    except soft_limit_error as error:  # the limit struck between two steps
        final = _store(store, context, outcome or Failed(_describe(error)), began, patience, soft_limit_error)
        _note(delivery, final, worker, attempt.number)
    return final


def _begin(
    delivery: Delivery, job: Job, worker: str, store: RunStore, soft_limit_error: type[Exception]
) -> Attempt | Refused:
    try:
        return store.begin(delivery, job, worker)
    except StorageUnavailable as error:
        return Wait(WAIT_FOR_STORAGE, str(error))
    except soft_limit_error:  # the next try would end the same way
        why = "its soft time limit leaves no time to begin; give the job a longer one"  # the attempt may be taken
        return put_aside(delivery.run_id, delivery.lane, why, worker, store, delivery.holder or names.me())
    except Exception as error:  # no row can hold the message's values
        log.exception("run %s cannot be begun", delivery.run_id)
        return put_aside(delivery.run_id, delivery.lane, _describe(error), worker, store)


def _attempt(job: Job, attempt: Attempt, context: Context, soft_limit_error: type[Exception]) -> Done | Retry | Failed:
    """Call the job, and return the outcome that its return or its error means."""
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
            return Failed(f"the result is over {MAX_RESULT_BYTES} bytes; store it elsewhere and return its id")
        return Done(result)
    except soft_limit_error:
        return Failed(f"TimeLimitExceeded: ran longer than {policy.soft_time_limit:.0f} s")
    except Throttled as error:
        return _throttled(error, attempt)
    except Retryable as error:
        if attempt.number >= policy.max_attempts:
            return Failed(f"{_describe(error)} (attempt {attempt.number} of {policy.max_attempts})")
        return Retry(policy.backoff(attempt.number, random.Random()), _describe(error))
    except PydanticSerializationError as error:
        return Failed(f"the result is not JSON: {error}")
    except Permanent as error:
        return Failed(_describe(error))
    except Exception as error:
        log.exception("run %s: %s raised", context.run_id, job.name)
        return Failed(_describe(error))


def _throttled(error: Throttled, attempt: Attempt) -> Retry | Failed:
    """Wait as long as the other side says, but never less than our own pause, and not for ever.

    Our pause doubles: 1, 2, 4, 8 … s, at most 60, less a jitter of up to half. For our own budget it is at most 1 s.
    A wait uses up no attempt. So the run's row counts the waits and their seconds.
    """
    times, seconds, longest = PATIENCE[not isinstance(error, OverBudget)]
    asked = error.retry_after if math.isfinite(error.retry_after) else seconds
    pause = max(asked, min(longest, 2.0 ** min(attempt.waits, 10)) * random.uniform(0.5, 1.0))
    if attempt.waits >= times or attempt.waited + pause > seconds:
        before = f"the run has waited {attempt.waits} times, {attempt.waited:.0f} s in all"
        return Failed(f"{_describe(error)}; {before}, at most {times} times and {seconds:.0f} s; retry it later")
    return Retry(pause, clean(str(error)), told=True)


def _store(
    store: RunStore,
    context: Context,
    outcome: Done | Retry | Failed,
    began: float,
    patience: float,
    soft_limit_error: type[Exception],
) -> Outcome:
    """Make the outcome durable. It is stored again as often as needed, and the job does not run again.

    If the database is away, this process tries again until its hard limit. Then the next process finds that the run's
    holder is gone. If the database will never take the outcome, the run ends FAILED with the reason.
    """
    give_up, pause = time.monotonic() + patience, 0.0
    refusal: Failed | None = None
    while True:
        try:
            if pause:
                time.sleep(pause)
            return store.record(context, outcome, began) or outcome
        except StorageUnavailable as error:
            pause = min(max(2 * pause, STORE_AGAIN[0]), STORE_AGAIN[1])
            log.warning("run %s: its outcome is stored again in %.1f s: %s", context.run_id, pause, error)
            if time.monotonic() > give_up:
                if context.lane == "inline":
                    raise
                return Wait(WAIT_FOR_STORAGE, str(error))
        except soft_limit_error:
            pass  # the job is done; a limit has nothing left to stop
        except Exception as error:
            log.exception("run %s: its outcome cannot be stored", context.run_id)
            if refusal is not None:
                return refusal  # not even this was stored; the run is found again when its attempt is overdue
            outcome = refusal = Failed(f"its outcome cannot be stored: {_describe(error)}")


def _describe(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {error}"[:MAX_ERROR])


_EVENTS = {
    Done: "succeeded", Retry: "retry", Failed: "failed", Expired: "expired",
    AlreadyEnded: "superseded", AtWork: "superseded",
}  # fmt: skip


def _note(delivery: Delivery, outcome: Outcome, worker: str, attempt: int, at: float | None = None) -> None:
    if (event := _EVENTS.get(type(outcome))) is None:
        return
    detail = getattr(outcome, "error", "") or getattr(outcome, "state", "")
    ledger.record(event, delivery.run_id, delivery.lane, worker=worker, attempt=attempt, detail=detail, at=at)
