"""Runs: what was accepted, and how far it has come. The database's row is the truth; this module writes it.

    PENDING ──> IN_PROGRESS <──> RETRYING
       │             │
       └─────────────┴──> DONE | FAILED | EXPIRED | REVOKED      terminal: never changes again

A row is its own outbox: it is inserted PENDING by the transaction that accepts it, and `published_at` stays NULL
until a broker has confirmed the message; that side of it is `outbox.py`. Lists and counts are `run_lists.py`. What a
job does is `execution.py`'s business; how a message travels is the lanes'.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    insert,
    select,
    update,
)
from uuid_utils import uuid7

from cars_bot import database
from cars_bot.catalogue import Job
from cars_bot.context import Step
from cars_bot.errors import InvalidArguments
from cars_bot.models import runs

LANES = ("celery", "raw", "inline")
OPEN = ("PENDING", "IN_PROGRESS", "RETRYING")
ENDED = ("DONE", "FAILED", "EXPIRED", "REVOKED")
OVERDUE = "waited longer than its queue's TTL"
MAX_COUNTDOWN = 14 * 86_400.0  # seconds; the raw lane's delay levels reach a little further

Run = Row[Any]
"""A row of `models.runs`; its columns are its attributes."""


def new_id() -> str:
    """A UUIDv7: unique, and sorted by the time it was made."""
    return str(uuid7())


def new_row(
    job: Job,
    lane: str,
    args: dict[str, Any],
    *,
    priority: int = 0,
    countdown: float = 0.0,
    parent: str | None = None,
    run_id: str | None = None,
    steps: Sequence[Step] = (),
    published: bool = False,
) -> dict[str, Any]:
    """The row of a new run, PENDING and unpublished, for `insert_all`.

    Args:
        args: by name; checked against the job's signature.
        priority: 0 to the queue's highest; higher goes first.
        countdown: seconds before which it must not start.
        steps: of its workflow, those that follow.
        published: its message is sent by somebody else than the relay.

    Raises:
        InvalidArguments: the arguments, lane, priority or countdown are out of range; the message says what is right.
    """
    if lane not in LANES:
        raise InvalidArguments(f"lane {lane!r} is unknown; choose one of {', '.join(LANES)}")
    if not 0 <= priority <= job.queue.max_priority:
        raise InvalidArguments(
            f"priority {priority} is out of range; queue {job.queue.name!r} takes 0 to {job.queue.max_priority}"
        )
    if not 0 <= countdown <= MAX_COUNTDOWN:
        raise InvalidArguments(f"countdown {countdown} is out of range; give 0 to {MAX_COUNTDOWN:.0f} seconds")
    if lane == "inline" and countdown:
        raise InvalidArguments("the inline lane runs inside the request and cannot wait; leave countdown at 0")
    now = time.time()
    ttl = job.queue.message_ttl
    return {
        "id": run_id or new_id(),
        "lane": lane,
        "job": job.name,
        "queue": job.queue.name,
        "args": job.bind(**args),
        "priority": priority,
        "state": "PENDING",
        "attempt": 0,
        "max_attempts": job.policy.max_attempts,
        "accepted_at": now,
        "due_at": now + countdown,
        "expires_at": now + countdown + ttl if ttl else None,
        "published_at": now if published else None,
        "parent": parent,
        "steps": [list(step) for step in steps] or None,
    }


def insert_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new runs, in the caller's transaction."""
    connection.execute(insert(runs), rows)


def accept(connection: Connection, job: Job, lane: str, args: dict[str, Any], **more: Any) -> str:
    """Insert one run, in the caller's transaction, and return its id. See `new_row`."""
    row = new_row(job, lane, args, **more)
    insert_all(connection, [row])
    return str(row["id"])


def adopt(
    connection: Connection, run_id: str, job: Job, lane: str, args: dict[str, Any], parent: str | None = None
) -> None:
    """Insert the row of a run that was sent to the broker by hand; harmless when it is there already."""
    now = time.time()
    row = {
        "id": run_id, "lane": lane, "job": job.name, "queue": job.queue.name, "args": args, "priority": 0,
        "state": "PENDING", "attempt": 0, "max_attempts": job.policy.max_attempts,
        "accepted_at": now, "due_at": now, "published_at": now, "parent": parent,
    }  # fmt: skip
    database.insert_if_new(connection, runs, row)


# ---------------------------------------------------------------- questions

_by_id = select(runs).where(runs.c.id == bindparam("run_id"))


def find(connection: Connection, run_id: str) -> Run | None:
    """The run with that id, or None."""
    return connection.execute(_by_id, {"run_id": run_id}).one_or_none()


class Standing(NamedTuple):
    """What decides whether a run is to be worked on."""

    state: str
    attempt: int
    max_attempts: int
    expires_at: float | None


_standing = database.Prepared(
    select(*(runs.c[name] for name in Standing._fields)).where(runs.c.id == bindparam("run_id"))
)


def standing(connection: Connection, run_id: str) -> Standing | None:
    """How the run with that id stands, or None. A worker asks this for every message."""
    rows = _standing(connection, {"run_id": run_id}).fetchall()
    return Standing(*rows[0]) if rows else None


# ---------------------------------------------------------------- moving on

_started = (
    update(runs)
    .where(
        runs.c.id == bindparam("run_id"),
        (runs.c.state == "PENDING") | (runs.c.state == "RETRYING"),  # IN cannot stand in a statement for many rows
        runs.c.attempt < bindparam("this_attempt"),
    )
    .values(
        state="IN_PROGRESS",
        attempt=bindparam("this_attempt"),
        worker=bindparam("by"),
        started_at=func.coalesce(runs.c.started_at, bindparam("at")),
    )
)


def mark_started(starts: Iterable[tuple[str, int, str, float]]) -> None:
    """Show runs as IN_PROGRESS: (run id, attempt, worker, time). Ended runs and older attempts are left as they are."""
    rows = [{"run_id": run, "this_attempt": attempt, "by": worker, "at": at} for run, attempt, worker, at in starts]
    if rows:
        with database.writing() as connection:
            connection.execute(_started, rows)


def claim_again(run_id: str, worker: str) -> None:
    """Count, durably and before it starts, an attempt whose message had been delivered before.

    Nobody knows what became of the earlier delivery; counting here bounds how often a run may take its worker down
    with it.
    """
    with database.writing() as connection:
        connection.execute(
            update(runs)
            .where(runs.c.id == run_id, runs.c.finished_at.is_(None))
            .values(state="IN_PROGRESS", attempt=runs.c.attempt + 1, worker=worker,
                    started_at=func.coalesce(runs.c.started_at, time.time()))
        )  # fmt: skip


_end = database.Prepared(
    update(runs)
    .where(runs.c.id == bindparam("run_id"), runs.c.finished_at.is_(None))
    .values(
        state=bindparam("to"),
        attempt=bindparam("this_attempt"),
        worker=bindparam("by"),
        result=bindparam("what"),
        error=bindparam("why"),
        started_at=func.coalesce(runs.c.started_at, bindparam("began")),
        finished_at=bindparam("ended"),
        due_at=func.coalesce(bindparam("due"), runs.c.due_at),
    )
)


def move(
    connection: Connection,
    run_id: str,
    *,
    to: str,
    attempt: int,
    worker: str,
    began: float,
    result: Any = None,
    error: str | None = None,
    due_at: float | None = None,
) -> bool:
    """Move an open run to `to` (an end, or RETRYING with `due_at`), in the caller's transaction.

    Returns:
        False if the run has ended already; then nothing was changed and the caller must not keep its effects.
    """
    ended = time.time() if to in ENDED else None
    what = to_json(result, inf_nan_mode="null").decode()
    values = {"run_id": run_id, "to": to, "this_attempt": attempt, "by": worker, "what": what, "why": error,
              "began": began, "ended": ended, "due": due_at}  # fmt: skip
    return bool(_end(connection, values).rowcount == 1)


def end_open(run_id: str, to: str, error: str) -> bool:
    """End an open run from outside its worker: revoked by a person, killed past its limit. False if it had ended."""
    with database.writing() as connection:
        return (
            connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.finished_at.is_(None))
                .values(state=to, error=error, finished_at=time.time())
            ).rowcount
            == 1
        )
