"""Runs: accepted jobs and their states. The row in the database is the truth, and this module writes it.

    PENDING ──> IN_PROGRESS <──> RETRYING
       │             │
       └─────────────┴──> DONE | FAILED | EXPIRED | REVOKED      terminal: never changes again

The transaction that accepts a run inserts its row as PENDING. The column `published_at` stays NULL until a broker has
confirmed the message. `outbox.py` looks after that. `database/run_lists.py` has the lists, `database/run_counts.py`
the counts. `execution.py` calls the job. The lanes carry the messages.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Connection, Row, bindparam, insert, literal_column, select, text, update
from uuid_utils import uuid7

from cars_bot import database
from cars_bot.boundary import arguments
from cars_bot.boundary.outside import clean, cleaned
from cars_bot.catalogue import Job
from cars_bot.context import Delivery, Step
from cars_bot.database.models import runs
from cars_bot.errors import InvalidArguments
from cars_bot.processes import clock

QUEUED_LANES = ("celery", "raw")  # a broker carries their runs
LANES = (*QUEUED_LANES, "inline")
OPEN = ("PENDING", "IN_PROGRESS", "RETRYING")
ENDED = ("DONE", "FAILED", "EXPIRED", "REVOKED")
OVERDUE = "waited longer than its queue's TTL"
MAX_COUNTDOWN = 14 * 86_400.0  # seconds; the raw lane's delay levels allow a little more

Run = Row[Any]
"""A row of `models.runs`; its columns are its attributes."""


def new_id() -> str:
    """Return a UUIDv7. It is unique, and it sorts by the time at which it was made."""
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
    comparison: str | None = None,
) -> dict[str, Any]:
    """Return the row of a new run, PENDING and unpublished, for `insert_all`.

    Args:
        args: by name; they are checked against the job's signature.
        priority: from 0 to the queue's highest; higher goes first.
        countdown: the run must not start earlier than after so many seconds.
        steps: the following steps of its workflow.
        published: true if another part than the relay sends its message.
        comparison: the id of the comparison that the run belongs to.

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
    bound = job.bind(**args)
    arguments.check(bound)
    now = clock.now()
    ttl = job.queue.message_ttl
    return {
        "id": run_id or new_id(),
        "lane": lane,
        "job": job.name,
        "queue": job.queue.name,
        "args": bound,
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
        "comparison": comparison,
    }


# One statement inserts all rows. A statement for each row costs the API twice the time. `statements()` alone does not
# wait for PostgreSQL's disk. This statement does, so it survives a crash without a transaction around it.
_INSERT_ALL = """
WITH durable AS (SELECT set_config('synchronous_commit', 'on', true))
INSERT INTO runs ({columns}) SELECT {columns}
FROM json_populate_recordset(NULL::runs, CAST(:rows AS json)) CROSS JOIN durable
"""


def insert_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new runs in the caller's transaction. PostgreSQL needs none: it inserts all rows or no row."""
    if connection.dialect.name == "postgresql":
        statement = text(_INSERT_ALL.format(columns=", ".join(rows[0])))
        connection.execute(statement, {"rows": as_json(rows)})
    else:
        connection.execute(insert(runs), rows)


def accept(connection: Connection, job: Job, lane: str, args: dict[str, Any], **more: Any) -> str:
    """Insert one run in the caller's transaction and return its id. See `new_row`."""
    row = new_row(job, lane, args, **more)
    insert_all(connection, [row])
    return str(row["id"])


def adopted(delivery: Delivery, job: Job) -> dict[str, Any]:
    """Return the row of a run whose message was sent to the broker by hand. Every execution is a run."""
    now = clock.now()
    return {
        "id": delivery.run_id, "lane": delivery.lane, "job": job.name, "queue": job.queue.name,
        "args": delivery.args, "priority": 0, "state": "PENDING", "attempt": 0,
        "max_attempts": job.policy.max_attempts, "accepted_at": now, "due_at": now, "published_at": now,
        "parent": delivery.parent, "steps": [list(step) for step in delivery.steps] or None,
    }  # fmt: skip


# ---------------------------------------------------------------- reading

_by_id = select(runs).where(runs.c.id == bindparam("run_id"))


def find(connection: Connection, run_id: str) -> Run | None:
    """Return the run with that id, or None."""
    return connection.execute(_by_id, {"run_id": run_id}).one_or_none()


# ---------------------------------------------------------------- ending

# The condition that a run, chosen by its id, is open. It tests the state and not `finished_at`, for this reason: the
# index of the open runs depends on `finished_at` and begins with other columns. If few runs were open at PostgreSQL's
# last look, it searches that whole index for the id. It goes on so while a backlog of thousands grows. On PostgreSQL,
# no index depends on the state.
IS_OPEN = runs.c.state.in_([literal_column(f"'{state}'") for state in OPEN])


def as_json(value: Any) -> str:
    """Return the value as JSON text that every database takes: NaN becomes null, and each text is clean.

    Raises:
        PydanticSerializationError: it is not a JSON value.
    """
    try:
        encoded = to_json(value, inf_nan_mode="null").decode()
    except PydanticSerializationError:
        return to_json(cleaned(value), inf_nan_mode="null").decode()
    return to_json(cleaned(json.loads(encoded))).decode() if r"\u0000" in encoded else encoded


def end_open(run_id: str, to: str, error: str) -> bool:
    """End an open run from outside its worker: a person revoked it, or its limit killed it. False: it had ended."""
    with database.writing() as connection:
        return (
            connection.execute(
                update(runs)
                .where(runs.c.id == run_id, IS_OPEN)
                .values(state=to, error=clean(error), finished_at=clock.now())
            ).rowcount
            == 1
        )


def end_waiting(run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
    """End a run of `lane` as FAILED if no process is working on it. False: there is no such run.

    Args:
        holder: a process that does not work on the run, although it may have taken an attempt a moment ago.
    """
    waits = runs.c.state.in_(["PENDING", "RETRYING"]) | ((runs.c.state == "IN_PROGRESS") & (runs.c.holder == holder))
    ended = {"state": "FAILED", "error": clean(error), "finished_at": clock.now()}
    with database.writing() as connection:
        which = update(runs).where(runs.c.id == run_id, runs.c.lane == lane, waits)
        return connection.execute(which.values(ended)).rowcount == 1
