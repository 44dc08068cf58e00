"""Leases: one of many processes does a piece of work alone, for as long as it renews its lease.

A lease is a row with a holder and a time. The holder renews the time. When the holder is gone, the time passes, and
another process takes the lease. A lease alone makes nothing safe. A holder may freeze, and wake up when another process
has the lease. So work under a lease must do no harm if two processes do it. The lease only makes that rare.

The row is also a memory. It says until when there was a holder. So the next holder knows which due times were missed.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select, update

from cars_bot import database
from cars_bot.database.models import leaders
from cars_bot.processes import clock, liveness, names

SECONDS = 10.0  # without a renewal for so long, any process may take the lease
LOOK_SECONDS = 1.0  # between two looks of a process that waits for the lease


class Lease(NamedTuple):
    """The result of a try to take a lease."""

    mine: bool  # true if the lease is ours now
    held_until: float | None  # until then an earlier holder has certainly done all due work; None: there was no holder


def take(
    role: str,
    holder: str,
    now: float,
    seconds: float = SECONDS,
    is_gone: Callable[[str], bool | None] = lambda _holder: False,
) -> Lease:
    """Take or renew the lease called `role`, if nobody else holds it.

    Args:
        now: by the shared clock.
        is_gone: true if the holder of that name has certainly ended. Then its lease is free at once.

    Raises:
        StorageUnavailable: the result is unknown; the earlier holder keeps the lease until its time has passed.
    """
    wanted = {"holder": holder, "until": now + seconds}
    gone = _gone(role, holder, is_gone)
    with database.writing() as connection:
        before = connection.execute(leaders.select().where(leaders.c.role == role)).one_or_none()
        if before is None:
            return Lease(database.insert_if_new(connection, leaders, {"role": role, **wanted}), None)
        # A time further ahead than a lease can reach was written by a wrong clock. Its holder may be long gone.
        impossible = leaders.c.until > now + 2 * seconds
        mine_or_over = (leaders.c.holder == holder) | (leaders.c.until < now) | impossible
        if gone:
            mine_or_over |= leaders.c.holder == gone
        taken = connection.execute(update(leaders).where(leaders.c.role == role, mine_or_over).values(wanted))
        # The last renewal was `seconds` before `until`. The holder may have died just after it, before the due work.
        return Lease(taken.rowcount == 1, min(before.until - 2 * seconds, now))


def release(role: str, holder: str, now: float) -> None:
    """Give the lease back, so that the next holder need not wait until its time has passed.

    Raises:
        StorageUnavailable: nothing was changed; the time passes by itself.
    """
    with database.writing() as connection:
        mine = (leaders.c.role == role) & (leaders.c.holder == holder)
        connection.execute(update(leaders).where(mine).values(until=now))


def _gone(role: str, holder: str, is_gone: Callable[[str], bool | None]) -> str | None:
    """Return the holder if it is another process that has ended. Call it before the transaction, to keep it short."""
    with database.statements() as connection:
        held_by = connection.execute(select(leaders.c.holder).where(leaders.c.role == role)).scalar_one_or_none()
    return held_by if held_by not in (None, holder) and is_gone(str(held_by)) else None


class Leader:
    """One of several processes, of which only one at a time does a piece of work.

    Args:
        role: the name of the work.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self._leading = False
        self._asked: float | None = None  # monotonic seconds

    def leads(self) -> bool:
        """Return whether this process does the work now. It asks the database every few seconds.

        Raises:
            StorageUnavailable: the answer is unknown.
        """
        now = time.monotonic()
        if self._asked is None or now - self._asked > (SECONDS / 4 if self._leading else LOOK_SECONDS):
            database.compare_clocks()
            self._leading = take(self.role, names.me(), clock.now(), is_gone=liveness.is_gone).mine
            self._asked = now
        return self._leading

    def resign(self) -> None:
        """Let another process lead at once.

        Raises:
            StorageUnavailable: the other process waits until the lease has passed.
        """
        if self._leading:
            self._leading = False
            release(self.role, names.me(), clock.now())
