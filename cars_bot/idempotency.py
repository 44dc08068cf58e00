"""Claims: how an effect outside our database is kept from happening twice.

Telegram takes no idempotency key. So before the call the attempt writes an open claim, in a transaction of its own;
after the call the claim is settled together with the outcome. A process that dies between the two leaves the claim
open, and nobody can tell whether the message went out. Repeating it would be at-least-once, leaving it at-most-once;
exactly-once is not to be had. The kit takes at-most-once here and says so: the run ends FAILED with "outcome
unknown", for a person to look at.

An open claim of an attempt that is under way is no such case: whoever meets it waits, and is told what came of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from cars_bot import database
from cars_bot.context import Context
from cars_bot.database.models import claims, runs
from cars_bot.errors import OutcomeUnknown, Throttled
from cars_bot.processes import clock, liveness
from cars_bot.processes.crash import crash_point

LOOK_AGAIN = 1.0  # seconds until a run asks again whether another has made its effect


@dataclass(frozen=True)
class Settled:
    """The effect has happened before; `detail` is what came of it."""

    detail: Any


def once(context: Context, kind: str, key: str, call: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """Make an effect outside our database at most once, and have it recorded with the outcome.

    Args:
        kind: what the world sees: a message, a row.
        key: names the effect, whatever run or attempt makes it.
        call: makes it and returns what came of it, as JSON.

    Returns:
        What came of it, and whether it had been made before.

    Raises:
        OutcomeUnknown: it may have happened, now or in an earlier attempt; the claim stays open.
        Throttled: another attempt is making it now; look again when that is over.
        Exception: whatever else `call` raises; then it did not happen and a retry may make it.
    """
    if before := claim(key, context.run_id, context.attempt):
        return before.detail, True
    crash_point("mid-effect")
    try:
        detail = call()
    except OutcomeUnknown:
        raise  # the claim stays open: that is how the next attempt learns of it
    except Exception:
        release(key, context.run_id, context.attempt)
        raise
    crash_point("after-effect")
    context.write(lambda connection: settle(connection, key, detail))
    context.effect(kind, key, detail)
    return detail, False


def claim(key: str, run_id: str, attempt: int) -> Settled | None:
    """Claim the effect `key` for this attempt, durably, before it is made.

    Returns:
        None if the claim is ours and the effect may be made, `Settled` if it was made before.

    Raises:
        OutcomeUnknown: another attempt claimed it, is over, and never said how it ended.
        Throttled: another attempt claimed it and is at it.
    """
    with database.writing() as connection:
        row = {"key": key, "run_id": run_id, "attempt": attempt, "claimed_at": clock.now()}
        if database.insert_if_new(connection, claims, row):
            return None
        found = connection.execute(select(claims).where(claims.c.key == key)).one()
        claimant = connection.execute(select(runs).where(runs.c.id == found.run_id)).one_or_none()
    if found.settled_at is not None:
        return Settled(found.detail)
    if _is_at_it(claimant, found.attempt) and found.run_id != run_id:
        raise Throttled(f"run {found.run_id} is making the effect {key!r} just now", LOOK_AGAIN)
    raise OutcomeUnknown(
        f"attempt {found.attempt} of run {found.run_id} claimed {key!r} and never reported: it may have happened. "
        "Look at the other side before you send it again."
    )


def _is_at_it(run: Row[Any] | None, attempt: int) -> bool:
    """Whether that attempt of a run is under way."""
    if run is None or run.state != "IN_PROGRESS" or run.attempt != attempt:
        return False
    return not liveness.is_lost(run)


def settle(connection: Connection, key: str, detail: Any) -> None:
    """Write down, in the outcome's transaction, what came of the effect."""
    connection.execute(update(claims).where(claims.c.key == key).values(detail=detail, settled_at=clock.now()))


def release(key: str, run_id: str, attempt: int) -> None:
    """Give up a claim whose effect certainly did not happen (the call was refused), so that a retry may make it."""
    ours = (claims.c.key == key) & (claims.c.run_id == run_id) & (claims.c.attempt == attempt)
    with database.writing() as connection:
        connection.execute(delete(claims).where(ours & claims.c.settled_at.is_(None)))
