"""Submission: the requests of a client for runs. Order them, cancel one, or retry one.

`acceptance.py` turns an order into runs. One transaction holds the runs, the Idempotency-Key and the reply. A client
without an answer sends the same request again and gets the first reply. The relay then publishes the runs.
"""

import hashlib
from typing import Any

from pydantic_core import to_json
from sqlalchemy import update

from api.errors import Refused, unknown_run
from api.publishing import revoking
from api.publishing.acceptance import Order, Reply
from api.schemas import Submission
from cars_bot import database, ledger, runs, workflow
from cars_bot.catalogue import job_named
from cars_bot.database.models import idempotency_keys

MAX_ARGUMENTS = 16_000_000  # bytes of arguments that all runs of one request may have together


def order(wanted: Submission, key: str | None = None) -> Order:
    """Make the rows and the reply for a submission.

    Raises:
        UnknownJob, InvalidArguments: the submission names no known job, or its arguments do not fit.
        Refused: the arguments are too large for one request.
    """
    plans = [workflow.plan(wanted.job, wanted.priority) for _ in range(wanted.count)]
    once = runs.new_row(
        job_named(plans[0][0].job), wanted.lane, wanted.args, priority=wanted.priority, countdown=wanted.countdown
    )
    if wanted.count > 1:
        _refuse_too_much(wanted.count, len(to_json(once["args"])))
    rows = [once | {"id": first.run_id, "steps": workflow.to_message(others)} for first, *others in plans]
    reply = replied((row["id"], "PENDING") for row in rows)
    body_hash = "" if key is None else hashlib.sha256(to_json(wanted)).hexdigest()
    return Order(wanted.lane, rows, reply, key, body_hash)


def _refuse_too_much(count: int, size: int) -> None:
    if count * size > MAX_ARGUMENTS:
        most = max(1, MAX_ARGUMENTS // size)
        message = (
            f"{count} runs with {size:,} bytes of arguments each are {count * size:,} bytes; one request may bring "
            f"{MAX_ARGUMENTS:,}: send count {most} or less, or keep the data in the database and send its id"
        )
        raise Refused(413, "arguments_too_large", message)


def replied(states: Any) -> Reply:
    """Return the reply for (run id, state) pairs."""
    return {"runs": [{"id": run_id, "state": state, "url": f"/api/runs/{run_id}"} for run_id, state in states]}


def replace_reply(key: str, reply: Reply) -> None:
    """Store a later reply under `key`. The inline lane answers with the states after the execution."""
    with database.statements() as connection:
        connection.execute(update(idempotency_keys).where(idempotency_keys.c.key == f"runs:{key}").values(reply=reply))


def cancel(run_id: str) -> runs.Run:
    """End an open run as REVOKED and return it. A signal to its worker follows, but the state needs no answer.

    Raises:
        Refused: there is no such run (404), or it has ended (409).
    """
    lane = existing(run_id).lane
    revoked = runs.end_open(run_id, "REVOKED", "cancelled by request")
    run = existing(run_id)
    if revoked:
        ledger.record("revoked", run_id, lane)
        revoking.interrupt(run)
        return run
    message = f"the run has ended {run.state} and stays so; POST /api/runs/{run_id}/retry makes a new one"
    raise Refused(409, "already_ended", message)


def retry(run_id: str) -> tuple[str, Reply]:
    """Accept a new run with the job, lane and arguments of an ended run. The old run is its parent.

    If the run is a step of a workflow, the steps after it follow again.

    Returns:
        the lane, and the reply.

    Raises:
        Refused: there is no such run (404), or it has not ended (409).
    """
    old = existing(run_id)
    if old.finished_at is None:
        raise Refused(409, "not_ended", f"the run is {old.state}; cancel it first, or wait for its end")
    with database.writing() as connection:
        new_id = runs.accept(
            connection, job_named(old.job), old.lane, old.args,
            priority=old.priority, parent=run_id, steps=workflow.again(workflow.after(old)),
        )  # fmt: skip
    ledger.record("accepted", new_id, old.lane)
    return old.lane, replied([(new_id, "PENDING")])


def existing(run_id: str) -> runs.Run:
    """Return the run with that id.

    Raises:
        Refused: there is no such run (404).
    """
    with database.statements() as connection:
        run = runs.find(connection, run_id) if run_id.isprintable() else None
    if run is None:
        raise unknown_run(run_id)
    return run
