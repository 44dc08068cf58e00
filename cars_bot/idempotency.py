"""Claims: how an effect outside our database is kept from happening twice.

Telegram takes no idempotency key. So before the call the attempt writes an open claim, in a transaction of its own;
after the call the claim is settled together with the outcome. A process that dies between the two leaves the claim
open, and nobody can tell whether the message went out. Repeating it would be at-least-once, leaving it at-most-once;
exactly-once is not to be had. The kit takes at-most-once here and says so: the run ends FAILED with "outcome
unknown", for a person to look at.
"""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from cars_bot import database
from cars_bot.errors import OutcomeUnknown
from cars_bot.models import claims


@dataclass(frozen=True)
class Settled:
    """The effect has happened before; `detail` is what came of it."""

    detail: Any


def claim(key: str, run_id: str, attempt: int) -> Settled | None:
    """Claim the effect `key` for this attempt, durably, before it is made.

    Returns:
        None if the claim is ours and the effect may be made, `Settled` if it was made before.

    Raises:
        OutcomeUnknown: another attempt claimed it and never said how it ended.
    """
    with database.writing() as connection:
        row = {"key": key, "run_id": run_id, "attempt": attempt, "claimed_at": time.time()}
        if database.insert_if_new(connection, claims, row):
            return None
        found = connection.execute(select(claims).where(claims.c.key == key)).one()
    if found.settled_at is not None:
        return Settled(found.detail)
    raise OutcomeUnknown(
        f"attempt {found.attempt} of run {found.run_id} claimed {key!r} and never reported: it may have happened. "
        "Look at the other side before you send it again."
    )


def settle(connection: Connection, key: str, detail: Any) -> None:
    """Write down, in the outcome's transaction, what came of the effect."""
    connection.execute(update(claims).where(claims.c.key == key).values(detail=detail, settled_at=time.time()))


def release(key: str, run_id: str, attempt: int) -> None:
    """Give up a claim whose effect certainly did not happen (the call was refused), so that a retry may make it."""
    ours = (claims.c.key == key) & (claims.c.run_id == run_id) & (claims.c.attempt == attempt)
    with database.writing() as connection:
        connection.execute(delete(claims).where(ours & claims.c.settled_at.is_(None)))
