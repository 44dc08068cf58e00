"""POST /update_task_status_api/: where a worker reports that has neither the database nor Redis.

Four locks, in this order: the signature over the very bytes received (401), the run signed for is the run in the body
(403), a report seen before gets the answer it got (a replay changes nothing), and the state rules of `runs.py` (409).
The other end of it is `cars_bot/reporting/callback.py`.
"""

import hashlib
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.errors import Problem, Refused, unknown_run
from cars_bot import attempts, database, ledger, runs
from cars_bot.catalogue import job_named
from cars_bot.context import Context
from cars_bot.database.models import idempotency_keys
from cars_bot.outcome import (
    AlreadyEnded,
    Attempt,
    AtWork,
    Delivery,
    Done,
    Expired,
    Failed,
    PutAside,
    Retry,
    Wait,
)
from cars_bot.processes import clock
from cars_bot.reporting.book import DATABASE_BOOK
from cars_bot.reporting.callback import verify
from cars_bot.settings import settings

router = APIRouter(tags=["callback"])

REMOTE = "reports over HTTP"  # no process of this name has a lease: only that a message comes again tells of a loss
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class Report(BaseModel):
    """What a worker says about one attempt of a run."""

    id: str = Field(max_length=36)
    status: Literal["IN_PROGRESS", "DONE", "RETRYING", "FAILED", "KILLED", "LOST", "PUT_ASIDE"]
    worker: str = Field(default="", max_length=128)
    holder: str = Field(default="", max_length=128)  # the process that has the attempt (`liveness.py`)
    # IN_PROGRESS
    job: str = ""
    lane: str = ""
    args: dict[str, Any] = {}
    redelivered: bool = False
    parent: str | None = None
    # DONE, RETRYING, FAILED
    attempt: int = 0
    began: float = 0.0
    result: Any = None
    effects: list[tuple[str, str, Any]] = []
    error: str = ""
    after: float = Field(default=0.0, ge=0.0)
    told: bool = False

    model_config = ConfigDict(extra="forbid")


@router.post(
    "/update_task_status_api/",
    summary="Report on a run",
    responses={s: {"model": Problem} for s in (401, 403, 404, 409, 422)},
)
async def update_task_status(
    request: Request,
    x_run_id: Annotated[str, Header()] = "",
    x_timestamp: Annotated[str, Header()] = "",
    x_signature: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Take a worker's signed report.

    200: noted, with the attempt's number. 409: the run has ended, or a newer attempt has begun.
    """
    body = await request.body()
    signed = _SIGNATURE.fullmatch(x_signature) and verify(
        settings().kit_secret, x_run_id, x_timestamp, body, x_signature, clock.now()
    )
    if not signed:
        message = "the signature is wrong or over 5 minutes old; sign with this kit's KIT_SECRET"
        raise Refused(401, "bad_signature", message)
    try:
        report = Report.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    if report.id != x_run_id:
        raise Refused(403, "wrong_run", "the body is about another run than the one signed for in X-Run-Id")
    return await run_in_threadpool(_once, report, x_signature)


def _once(report: Report, signature: str) -> JSONResponse:
    """Apply a report, or answer what it was answered before."""
    key = f"callback:{signature}"
    with database.statements() as connection:
        stored = connection.execute(
            select(idempotency_keys.c.reply).where(idempotency_keys.c.key == key)
        ).scalar_one_or_none()
    if stored is None:
        status, reply = BEGIN_OR_FINISH[report.status](report)
        stored = {"status": status, "body": reply}
        body_hash = hashlib.sha256(signature.encode()).hexdigest()
        with database.statements() as connection:
            row = {"key": key, "body_hash": body_hash, "reply": stored, "created_at": clock.now()}
            database.insert_if_new(connection, idempotency_keys, row)
    return JSONResponse(stored["body"], stored["status"])


def _begin(report: Report) -> tuple[int, dict[str, Any]]:
    """Take the next attempt for the process that asks; the same one again if it asks again."""
    if report.lane not in runs.LANES:
        raise Refused(422, "unknown_lane", f"lane must be one of {', '.join(runs.LANES)}")
    holder = report.holder or REMOTE
    if (run := _find(report)) and report.holder and (run.state, run.holder) == ("IN_PROGRESS", holder):
        return 200, _attempt(Attempt(run.attempt, run.args, (), holder, run.waits or 0, run.waited or 0.0))
    delivery = Delivery(
        report.id, report.job, report.args, report.lane, report.redelivered, parent=report.parent, holder=holder
    )
    match DATABASE_BOOK.begin(delivery, job_named(report.job), report.worker):
        case Attempt() as begun:
            ledger.record("started", report.id, report.lane, worker=report.worker, attempt=begun.number)
            return 200, _attempt(begun)
        case Wait(after, why):
            return 503, {"error": "not_now", "message": f"the run cannot be begun now: {why}", "after": after}
        case AtWork():
            return 409, {"error": "at_work", "message": "another process is at this run"}
        case PutAside(why):
            return 409, {"error": "put_aside", "message": why}
        case Failed(why):
            ledger.record("failed", report.id, report.lane, worker=report.worker, detail=why)
            return 409, {"error": "failed", "message": why}
        case Expired():
            ledger.record("expired", report.id, report.lane, worker=report.worker)
            return 409, {"error": "expired", "message": runs.OVERDUE}
        case AlreadyEnded(state):
            return _ended() if state == "ENDED" else (409, _ended()[1] | {"state": state})


def _attempt(begun: Attempt) -> dict[str, Any]:
    return {"attempt": begun.number, "args": begun.args, "waits": begun.waits, "waited": begun.waited}


def _find(report: Report) -> runs.Run | None:
    with database.statements() as connection:
        return runs.find(connection, report.id)


def _finish(report: Report) -> tuple[int, dict[str, Any]]:
    if (run := _find(report)) is None:
        raise unknown_run(report.id)
    if report.attempt < run.attempt:
        reply = f"attempt {run.attempt} of this run has begun; the report of attempt {report.attempt} comes too late"
        return 409, {"error": "stale_attempt", "message": reply}
    outcome: Done | Retry | Failed = OUTCOMES[report.status](report)
    holder = report.holder or run.holder or ""
    context = Context(report.id, run.lane, report.attempt, report.worker, effects=report.effects, holder=holder)
    asked = clock.now() if isinstance(outcome, Retry) else None
    if not DATABASE_BOOK.finish(context, outcome, report.began):
        return (200, {"attempt": report.attempt}) if _is_noted(report) else _ended()
    event = {"DONE": "succeeded", "RETRYING": "retry", "FAILED": "failed"}[report.status]
    ledger.record(
        event, report.id, run.lane, worker=report.worker, attempt=report.attempt, detail=report.error, at=asked
    )
    return 200, {"attempt": report.attempt}


def _is_noted(report: Report) -> bool:
    """Whether this very process has reported that before, and the answer was lost."""
    run = _find(report)
    return bool(
        run and report.holder and (run.state, run.holder, run.worker) == (report.status, report.holder, report.worker)
    )


def _kill(report: Report) -> tuple[int, dict[str, Any]]:
    return (200, {}) if DATABASE_BOOK.end(report.id, report.error) else _ended()


def _put_aside(report: Report) -> tuple[int, dict[str, Any]]:
    return (200, {}) if runs.end_waiting(report.id, report.lane, report.error, report.holder or None) else _ended()


def _lose(report: Report) -> tuple[int, dict[str, Any]]:
    if not report.holder:
        raise Refused(422, "no_holder", "say whose attempt was lost, in `holder`")
    attempts.lost(report.id, report.lane, report.holder, report.worker, report.error)
    return 200, {}


def _ended() -> tuple[int, dict[str, Any]]:
    return 409, {"error": "already_ended", "message": "the run has ended; nothing was changed"}


OUTCOMES: dict[str, Any] = {
    "DONE": lambda report: Done(report.result),
    "RETRYING": lambda report: Retry(report.after, report.error, report.told),
    "FAILED": lambda report: Failed(report.error),
}
BEGIN_OR_FINISH = {
    "IN_PROGRESS": _begin,
    "DONE": _finish,
    "RETRYING": _finish,
    "FAILED": _finish,
    "KILLED": _kill,
    "LOST": _lose,
    "PUT_ASIDE": _put_aside,
}
