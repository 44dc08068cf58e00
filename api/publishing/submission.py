"""What is done with runs at the request of a client: order them, cancel one, run one again.

An order becomes runs in `acceptance.py`: one transaction holds the runs, the Idempotency-Key and the reply. A client
that never got its answer sends the same request again and is given the reply of the first time. How the runs travel
from there is the relay's business.
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

MAX_ARGUMENTS = 16_000_000  # bytes that the arguments of one request's runs may have together


def order(wanted: Submission, key: str | None = None) -> Order:
    """Make of what is `wanted` the rows to be accepted and the reply that says so.

    Raises:
        UnknownJob, InvalidArguments: it cannot be accepted as it is.
        Refused: it is too much for one request.
    """
    plans = [workflow.plan(wanted.job, wanted.priority) for _ in range(wanted.count)]
    once = runs.new_row(
        job_named(plans[0][0].job), wanted.lane, wanted.args, priority=wanted.priority, countdown=wanted.countdown
    )
    if wanted.count > 1:
        _refuse_too_much(wanted.count, len(to_json(once["args"])))
    rows = [once | {"id": first.run_id, "steps": workflow.told(others)} for first, *others in plans]
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
    """The reply for (run id, state) pairs."""
    return {"runs": [{"id": run_id, "state": state, "url": f"/api/runs/{run_id}"} for run_id, state in states]}


def replace_reply(key: str, reply: Reply) -> None:
    """Store a later reply under `key`: an inline submission is answered when it has been executed."""
    with database.statements() as connection:
        connection.execute(update(idempotency_keys).where(idempotency_keys.c.key == f"runs:{key}").values(reply=reply))


def cancel(run_id: str) -> runs.Run:
    """End an open run as REVOKED and return it. Whoever is at it is told to stop, and need not hear it.

    Raises:
        Refused: there is none (404), or it has ended (409).
    """
    lane = existing(run_id).lane
    revoked = runs.end_open(run_id, "REVOKED", "cancelled by request")
    run = existing(run_id)
    if revoked:
        ledger.record("revoked", run_id, lane)
        revoking.interrupt(run)
        return run
    raise Refused(409, "already_ended", f"the run ended {run.state} and stays so; POST {run_id}/retry makes a new one")


def retry(run_id: str) -> tuple[str, Reply]:
    """Accept a new run with the job, lane and arguments of one that has ended; it names the old one as its parent.

    A workflow's step brings the steps after it: the workflow goes on from there.

    Returns:
        its lane, and the reply.

    Raises:
        Refused: there is none (404), or it has not ended (409).
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
    """The run with that id.

    Raises:
        Refused: there is none (404).
    """
    with database.statements() as connection:
        run = runs.find(connection, run_id) if run_id.isprintable() else None
    if run is None:
        raise unknown_run(run_id)
    return run
