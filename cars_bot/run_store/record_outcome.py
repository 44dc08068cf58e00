"""Outcome updates: an attempt's outcome in the run's row. Only the holder of the run may fail it or put it back."""

from typing import Any

from sqlalchemy import Boolean, Connection, bindparam, case, func, literal_column, null, update

from cars_bot import database
from cars_bot.boundary.outside import clean
from cars_bot.database.models import runs
from cars_bot.processes import clock
from cars_bot.runs import IS_OPEN, as_json

_open_run = (runs.c.id == bindparam("run_id")) & IS_OPEN
_our_attempt = (runs.c.attempt == bindparam("number")) & (runs.c.holder == bindparam("me"))
_end = database.Prepared(
    update(runs)
    .where(_open_run, _our_attempt | bindparam("wins", type_=Boolean))
    .values(state=bindparam("to"), result=bindparam("what"), error=bindparam("why"), finished_at=bindparam("now"))
)
_put_back = database.Prepared(
    update(runs)
    .where(_open_run, _our_attempt)
    .values(
        state=literal_column("'RETRYING'"),
        error=bindparam("why"),
        due_at=bindparam("due"),
        published_at=case((bindparam("in_outbox", type_=Boolean), null()), else_=runs.c.published_at),
        attempt=runs.c.attempt - bindparam("given_back"),
        waits=func.coalesce(runs.c.waits, literal_column("0")) + bindparam("given_back"),
        waited=func.coalesce(runs.c.waited, literal_column("0")) + bindparam("pause"),
    )
)


def end(
    connection: Connection, run_id: str, number: int, holder: str, to: str, result: Any = None, error: str | None = None
) -> bool:
    """End a run as DONE or FAILED, in the caller's transaction.

    Args:
        number, holder: of the attempt, as it was taken. A failure counts only from the holder of the run. A success
            counts from any process, also from one that was wrongly counted as dead.

    Returns:
        False if the run had ended, or another process holds it. Nothing was changed; do not keep the effects.
    """
    values = {"run_id": run_id, "number": number, "me": holder, "wins": to == "DONE", "to": to,
              "what": as_json(result), "why": error and clean(error), "now": clock.now()}  # fmt: skip
    return bool(_end(connection, values).rowcount == 1)


def put_back(
    connection: Connection, run_id: str, number: int, holder: str, *,
    after: float, error: str, told: bool, in_outbox: bool,
) -> bool:  # fmt: skip
    """Make a run wait as RETRYING for `after` seconds, in the caller's transaction. For the rest see `end`.

    Args:
        told: true if the run was told to wait. Then the attempt does not count.
        in_outbox: true if the relay must publish its message again when it is due.
    """
    values = {"run_id": run_id, "number": number, "me": holder, "why": clean(error),
              "due": clock.now() + after, "in_outbox": in_outbox, "given_back": int(told),
              "pause": after if told else 0.0}  # fmt: skip
    return bool(_put_back(connection, values).rowcount == 1)
