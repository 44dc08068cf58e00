"""Worker reports: a report changes its run, or is refused by the state rules of `runs.py`.

`callback.py` receives the reports. A worker without database and Redis sends them.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.errors import Refused, unknown_run
from cars_bot import database, ledger, runs
from cars_bot.catalogue import job_named
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, PutAside, Retry, Wait
from cars_bot.processes import clock
from cars_bot.run_store import begin_attempt
from cars_bot.run_store.in_database import DATABASE_STORE

REMOTE = "reports over HTTP"  # this holder has no lease, so only a redelivered message shows that its attempt is lost


class Report(BaseModel):
    """A worker's report on one attempt of a run."""

    id: str = Field(max_length=36)
    status: Literal["IN_PROGRESS", "DONE", "RETRYING", "FAILED", "KILLED", "LOST", "PUT_ASIDE"]
    worker: str = Field(default="", max_length=128)
    holder: str = Field(default="", max_length=128)  # the process that has the attempt (see `liveness.py`)
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


def apply(report: Report) -> tuple[int, dict[str, Any]]:
    """Apply a report to its run. Return the status and the body of the answer.

    Raises:
        Refused: the report is incomplete (422), or there is no such run (404).
    """
    return APPLY[report.status](report)


def _begin(report: Report) -> tuple[int, dict[str, Any]]:
    """Begin the next attempt for the process that asks. If it asks again, it gets the same attempt."""
    if report.lane not in runs.LANES:
        raise Refused(422, "unknown_lane", f"there is no such lane; send one of {', '.join(runs.LANES)}")
    holder = report.holder or REMOTE
    if (run := _stored_run(report)) and report.holder and (run.state, run.holder) == ("IN_PROGRESS", holder):
        return 200, _attempt(Attempt(run.attempt, run.args, (), holder, run.waits or 0, run.waited or 0.0))
    delivery = Delivery(
        report.id, report.job, report.args, report.lane, report.redelivered, parent=report.parent, holder=holder
    )
    match DATABASE_STORE.begin(delivery, job_named(report.job), report.worker):
        case Attempt() as begun:
            ledger.record("started", report.id, report.lane, worker=report.worker, attempt=begun.number)
            return 200, _attempt(begun)
        case Wait(after, why):
            return 503, {"error": "not_now", "message": f"the run cannot begin now: {why}", "after": after}
        case AtWork():
            return AT_WORK
        case PutAside(why):
            return 409, {"error": "put_aside", "message": why}
        case Failed(why):
            ledger.record("failed", report.id, report.lane, worker=report.worker, detail=why)
            return 409, {"error": "failed", "message": why}
        case Expired():
            ledger.record("expired", report.id, report.lane, worker=report.worker)
            return 409, {"error": "expired", "message": runs.OVERDUE}
        case AlreadyEnded(state):
            return _ended(state)


def _attempt(begun: Attempt) -> dict[str, Any]:
    return {"attempt": begun.number, "args": begun.args, "waits": begun.waits, "waited": begun.waited}


def _stored_run(report: Report) -> runs.Run | None:
    with database.statements() as connection:
        return runs.find(connection, report.id)


def _finish(report: Report) -> tuple[int, dict[str, Any]]:
    if (run := _stored_run(report)) is None:
        raise unknown_run(report.id)
    if report.attempt < run.attempt:
        reply = f"attempt {run.attempt} of this run has begun; drop this late report of attempt {report.attempt}"
        return 409, {"error": "stale_attempt", "message": reply}
    outcome: Done | Retry | Failed = OUTCOMES[report.status](report)
    holder = report.holder or run.holder or ""
    delivery = Delivery(report.id, run.job, run.args, run.lane)
    context = Context(delivery, Attempt(report.attempt, run.args, (), holder), report.worker, effects=report.effects)
    asked = clock.now() if isinstance(outcome, Retry) else None
    if refused := DATABASE_STORE.record(context, outcome, report.began):
        if _is_stored(report):
            return 200, {"attempt": report.attempt}
        return _ended(refused.state) if isinstance(refused, AlreadyEnded) else AT_WORK
    event = {"DONE": "succeeded", "RETRYING": "retry", "FAILED": "failed"}[report.status]
    ledger.record(
        event, report.id, run.lane, worker=report.worker, attempt=report.attempt, detail=report.error, at=asked
    )
    return 200, {"attempt": report.attempt}


def _is_stored(report: Report) -> bool:
    """Return whether the same process has reported the same before, and only the answer was lost."""
    run = _stored_run(report)
    return bool(
        run and report.holder and (run.state, run.holder, run.worker) == (report.status, report.holder, report.worker)
    )


def _kill(report: Report) -> tuple[int, dict[str, Any]]:
    return (200, {}) if DATABASE_STORE.fail(report.id, report.error) else _ended()


def _put_aside(report: Report) -> tuple[int, dict[str, Any]]:
    return (200, {}) if runs.end_waiting(report.id, report.lane, report.error, report.holder or None) else _ended()


def _lose(report: Report) -> tuple[int, dict[str, Any]]:
    if not report.holder:
        raise Refused(422, "no_holder", "`holder` is missing; name the process whose attempt was lost")
    begin_attempt.lost(report.id, report.lane, report.holder, report.worker, report.error)
    return 200, {}


def _ended(state: str = "") -> tuple[int, dict[str, Any]]:
    answer = {"error": "already_ended", "message": "the run has ended, so nothing was changed; drop the message"}
    return 409, answer | ({"state": state} if state else {})


AT_WORK: tuple[int, dict[str, Any]] = (409, {"error": "at_work", "message": "another process executes this run"})
OUTCOMES: dict[str, Any] = {
    "DONE": lambda report: Done(report.result),
    "RETRYING": lambda report: Retry(report.after, report.error, report.told),
    "FAILED": lambda report: Failed(report.error),
}
APPLY = {
    "IN_PROGRESS": _begin,
    "DONE": _finish,
    "RETRYING": _finish,
    "FAILED": _finish,
    "KILLED": _kill,
    "LOST": _lose,
    "PUT_ASIDE": _put_aside,
}
