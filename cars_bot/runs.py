"""Runs: what was accepted, and how far it has come. The database's row is the truth; this module writes it.

    PENDING ──> IN_PROGRESS <──> RETRYING
       │             │
       └─────────────┴──> DONE | FAILED | EXPIRED | REVOKED      terminal: never changes again

A row is its own outbox: it is inserted PENDING by the transaction that accepts it, and `published_at` stays NULL
until a broker has confirmed the message; that side of it is `outbox.py`. Lists and counts are `run_lists.py`. What a
job does is `execution.py`'s business; how a message travels is the lanes'.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import (
    Boolean,
    Connection,
    Row,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    update,
)
from uuid_utils import uuid7

from cars_bot import database
from cars_bot.boundary import arguments
from cars_bot.boundary.outside import clean, cleaned
from cars_bot.catalogue import Job
from cars_bot.context import Step
from cars_bot.database.models import runs
from cars_bot.errors import InvalidArguments
from cars_bot.outcome import Delivery
from cars_bot.processes import clock

QUEUED_LANES = ("celery", "raw")  # a broker carries their runs
LANES = (*QUEUED_LANES, "inline")
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
    }


# One statement for all rows, which survives a crash also without a transaction around it: `statements()` alone does not
# wait for PostgreSQL's disk. A statement for each row costs the API twice the time.
_INSERT_ALL = """
WITH durable AS (SELECT set_config('synchronous_commit', 'on', true))
INSERT INTO runs ({columns}) SELECT {columns}
FROM json_populate_recordset(NULL::runs, CAST(:rows AS json)) CROSS JOIN durable
"""


def insert_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new runs, in the caller's transaction. On PostgreSQL it needs none: all are inserted, or none."""
    if connection.dialect.name == "postgresql":
        statement = text(_INSERT_ALL.format(columns=", ".join(rows[0])))
        connection.execute(statement, {"rows": as_json(rows)})
    else:
        connection.execute(insert(runs), rows)


def accept(connection: Connection, job: Job, lane: str, args: dict[str, Any], **more: Any) -> str:
    """Insert one run, in the caller's transaction, and return its id. See `new_row`."""
    row = new_row(job, lane, args, **more)
    insert_all(connection, [row])
    return str(row["id"])


def adopted(delivery: Delivery, job: Job) -> dict[str, Any]:
    """The row of a run that was sent to the broker by hand: every execution is a run."""
    now = clock.now()
    return {
        "id": delivery.run_id, "lane": delivery.lane, "job": job.name, "queue": job.queue.name,
        "args": delivery.args, "priority": 0, "state": "PENDING", "attempt": 0,
        "max_attempts": job.policy.max_attempts, "accepted_at": now, "due_at": now, "published_at": now,
        "parent": delivery.parent, "steps": [list(step) for step in delivery.steps] or None,
    }  # fmt: skip


# ---------------------------------------------------------------- questions

_by_id = select(runs).where(runs.c.id == bindparam("run_id"))


def find(connection: Connection, run_id: str) -> Run | None:
    """The run with that id, or None."""
    return connection.execute(_by_id, {"run_id": run_id}).one_or_none()


# ---------------------------------------------------------------- moving on

# Whether one run, whose id is given, is open: by its state, not by `finished_at`. There is an index of the open runs;
# it begins with other columns. Where few were open when PostgreSQL last looked, it reads that index from end to end
# for an id, and keeps to it while a backlog of thousands piles up. No index of PostgreSQL's goes by the state.
IS_OPEN = runs.c.state.in_([literal_column(f"'{state}'") for state in OPEN])

_mine = (
    (runs.c.id == bindparam("run_id")) & IS_OPEN,
    (runs.c.attempt == bindparam("number")) & (runs.c.holder == bindparam("me")),
)
_end = database.Prepared(
    update(runs)
    .where(_mine[0], _mine[1] | bindparam("wins", type_=Boolean))
    .values(state=bindparam("to"), result=bindparam("what"), error=bindparam("why"), finished_at=bindparam("now"))
)
_put_back = database.Prepared(
    update(runs)
    .where(*_mine)
    .values(
        state=literal_column("'RETRYING'"),
        error=bindparam("why"),
        due_at=bindparam("due"),
        published_at=case((bindparam("in_outbox", type_=Boolean), null()), else_=runs.c.published_at),
        attempt=runs.c.attempt - bindparam("given_back"),
        waits=func.coalesce(runs.c.waits, literal_column("0")) + bindparam("given_back"),
        waited=func.coalesce(runs.c.waited, literal_column("0")) + bindparam("told"),
    )
)


def as_json(value: Any) -> str:
    """The value as JSON text that every database takes: NaN becomes null, and each text is clean.

    Raises:
        PydanticSerializationError: it is no JSON value.
    """
    try:
        told = to_json(value, inf_nan_mode="null").decode()
    except PydanticSerializationError:
        return to_json(cleaned(value), inf_nan_mode="null").decode()
    return to_json(cleaned(json.loads(told))).decode() if r"\u0000" in told else told


def end(
    connection: Connection, run_id: str, number: int, holder: str, to: str, result: Any = None, error: str | None = None
) -> bool:
    """End a run as DONE or FAILED, in the caller's transaction.

    Args:
        number, holder: of the attempt, as it was taken. A failure only counts from who holds the run; a success counts
            whoever brings it, also from a process that was taken for dead.

    Returns:
        False if it had ended, or is another's; then nothing was changed and the caller must not keep its effects.
    """
    values = {"run_id": run_id, "number": number, "me": holder, "wins": to == "DONE", "to": to,
              "what": as_json(result), "why": error and clean(error), "now": clock.now()}  # fmt: skip
    return bool(_end(connection, values).rowcount == 1)


def put_back(
    connection: Connection, run_id: str, number: int, holder: str, *,
    after: float, error: str, told: bool, in_outbox: bool,
) -> bool:  # fmt: skip
    """Have a run wait RETRYING for `after` seconds, in the caller's transaction. For the rest see `end`.

    Args:
        told: it was told to wait, so that the attempt's number is given back.
        in_outbox: its message is to be published again when it is due, by the relay.
    """
    values = {"run_id": run_id, "number": number, "me": holder, "why": clean(error),
              "due": clock.now() + after, "in_outbox": in_outbox, "given_back": int(told),
              "told": after if told else 0.0}  # fmt: skip
    return bool(_put_back(connection, values).rowcount == 1)


def end_open(run_id: str, to: str, error: str) -> bool:
    """End an open run from outside its worker: revoked by a person, killed past its limit. False if it had ended."""
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
    """End a run of `lane` as FAILED that nobody is working on. False if there is none, or it is none such.

    Args:
        holder: a process that is not working on it, although it may have taken an attempt a moment ago.
    """
    waits = runs.c.state.in_(["PENDING", "RETRYING"]) | ((runs.c.state == "IN_PROGRESS") & (runs.c.holder == holder))
    ended = {"state": "FAILED", "error": clean(error), "finished_at": clock.now()}
    with database.writing() as connection:
        which = update(runs).where(runs.c.id == run_id, runs.c.lane == lane, waits)
        return connection.execute(which.values(ended)).rowcount == 1
