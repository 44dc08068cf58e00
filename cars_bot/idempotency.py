"""Claims: they keep an effect outside our database from happening twice.

Telegram takes no idempotency key. So before the call, the attempt writes an open claim in a transaction of its own.
After the call, the claim is closed together with the outcome. If the process dies between the two, the claim stays
open. Then nobody can know whether the message went out. A second message would be at-least-once delivery. No second
message is at-most-once delivery. Exactly-once is impossible. The kit chooses at-most-once and says so: the run ends
FAILED with "outcome unknown", and a person has to look.

An open claim of an attempt that still works is another case. A second run that meets it waits for its result.
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

LOOK_AGAIN = 1.0  # seconds until a run asks again whether another run has made its effect


@dataclass(frozen=True)
class Settled:
    """The effect has happened before. `detail` is its result."""

    detail: Any


def once(context: Context, kind: str, key: str, call: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """Make an effect outside our database at most once, and record it with the outcome.

    Args:
        kind: the kind of the effect, such as a message or a row.
        key: the effect's idempotency key. It is the same for each run and each attempt that makes the effect.
        call: makes the effect and returns its result, as JSON.

    Returns:
        The result, and whether the effect had been made before.

    Raises:
        OutcomeUnknown: the effect may have happened, now or in an earlier attempt; the claim stays open.
        Throttled: another attempt is making the effect now; ask again when that attempt is over.
        Exception: any other error of `call`; the effect did not happen, and a retry may make it.
    """
    if before := claim(key, context.run_id, context.attempt):
        return before.detail, True
    crash_point("mid-effect")
    try:
        detail = call()
    except OutcomeUnknown:
        raise  # the claim stays open, so the next attempt learns of the effect
    except Exception:
        release(key, context.run_id, context.attempt)
        raise
    crash_point("after-effect")
    context.write(lambda connection: close(connection, key, detail))
    context.effect(kind, key, detail)
    return detail, False


def claim(key: str, run_id: str, attempt: int) -> Settled | None:
    """Claim the effect `key` for this attempt, durably, before it is made.

    Returns:
        None if the claim is ours and the effect may be made; `Settled` if the effect was made before.

    Raises:
        OutcomeUnknown: another attempt claimed the effect, has ended, and never reported the result.
        Throttled: another attempt claimed the effect and still works.
    """
    with database.writing() as connection:
        row = {"key": key, "run_id": run_id, "attempt": attempt, "claimed_at": clock.now()}
        if database.insert_if_new(connection, claims, row):
            return None
        found = connection.execute(select(claims).where(claims.c.key == key)).one()
        claimant = connection.execute(select(runs).where(runs.c.id == found.run_id)).one_or_none()
    if found.settled_at is not None:
        return Settled(found.detail)
    if _is_working(claimant, found.attempt) and found.run_id != run_id:
        raise Throttled(f"another run ({found.run_id}) is making the effect {key!r} now", LOOK_AGAIN)
    raise OutcomeUnknown(
        f"attempt {found.attempt} of run {found.run_id} claimed {key!r} and never reported: the effect may have "
        "happened. Look at the other side before you send it again."
    )


def _is_working(run: Row[Any] | None, attempt: int) -> bool:
    """Return whether a process is executing that attempt of a run."""
    if run is None or run.state != "IN_PROGRESS" or run.attempt != attempt:
        return False
    return not liveness.is_lost(run)


def close(connection: Connection, key: str, detail: Any) -> None:
    """Store the effect's result in the outcome's transaction."""
    connection.execute(update(claims).where(claims.c.key == key).values(detail=detail, settled_at=clock.now()))


def release(key: str, run_id: str, attempt: int) -> None:
    """Delete the claim of an effect that certainly did not happen (the call was refused). So a retry may make it."""
    ours = (claims.c.key == key) & (claims.c.run_id == run_id) & (claims.c.attempt == attempt)
    with database.writing() as connection:
        connection.execute(delete(claims).where(ours & claims.c.settled_at.is_(None)))
