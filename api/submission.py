"""Accepting runs: one transaction, and with an Idempotency-Key at most once.

The transaction holds the runs, the key and the reply. A client that never got its answer sends the same request again
and is given the reply of the first time; how the runs travel from here is the relay's business.
"""

import hashlib
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, select, update

from api import lanes
from api.errors import Refused, unknown_run
from api.schemas import Submission
from cars_bot import clock, database, ledger, runs, workflow
from cars_bot.catalogue import job_named
from cars_bot.crash import crash_point
from cars_bot.models import idempotency_keys

Reply = dict[str, Any]


def submit(wanted: Submission, key: str | None = None) -> tuple[Reply, bool]:
    """Accept what is `wanted`. Returns the reply, and whether it is that of an earlier request with the same key.

    Raises:
        UnknownJob, InvalidArguments: it cannot be accepted as it is.
        Refused: the key was used for something else (422).
        StorageUnavailable: nothing was accepted.
    """
    plans = [workflow.plan(wanted.job, wanted.priority) for _ in range(wanted.count)]
    ids = [first.run_id for first, *_ in plans]
    reply = replied((run_id, "PENDING") for run_id in ids)
    crash_point("before-accept")
    with database.writing() as connection:
        if key is not None and (before := _claim(connection, key, wanted, reply)) is not None:
            return before, True
        for first, *others in plans:
            runs.accept(
                connection, job_named(first.job), wanted.lane, wanted.args,
                priority=wanted.priority, countdown=wanted.countdown, run_id=first.run_id, steps=others,
            )  # fmt: skip
    crash_point("after-accept")
    for run_id in ids:
        ledger.record("accepted", run_id, wanted.lane)
    return reply, False


def replied(states: Any) -> Reply:
    """The reply for (run id, state) pairs."""
    return {"runs": [{"id": run_id, "state": state, "url": f"/api/runs/{run_id}"} for run_id, state in states]}


def _claim(connection: Connection, key: str, wanted: Submission, reply: Reply) -> Reply | None:
    """Take `key` for this submission; if it is taken, return the reply that goes with it."""
    body_hash = hashlib.sha256(to_json(wanted)).hexdigest()
    row = {"key": f"runs:{key}", "body_hash": body_hash, "reply": reply, "created_at": clock.now()}
    if database.insert_if_new(connection, idempotency_keys, row):
        return None
    taken = connection.execute(select(idempotency_keys).where(idempotency_keys.c.key == row["key"])).one()
    if taken.body_hash != body_hash:
        raise Refused(
            422, "key_reused", "this Idempotency-Key came with another body before; a new request needs a new key"
        )
    earlier: Reply = taken.reply
    return earlier


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
        lanes.interrupt(run)
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
