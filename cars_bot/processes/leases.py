"""Leases: what one of many processes does alone, for as long as it keeps saying that it is there.

A lease is a row with a holder and a time. The holder renews it, and when it is gone, the time passes and another
takes the lease. That alone makes nothing safe: a holder may be frozen, and wake up when another holds the lease. So
whatever is done under a lease must do no harm when it is done twice; the lease only keeps it from being done often.

The row is also a memory: it says up to when there was a holder, and so what the next one has to make up for.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select, update

from cars_bot import database
from cars_bot.database.models import leaders
from cars_bot.processes import clock, liveness

SECONDS = 10.0  # after this long without a renewal a lease is anybody's
LOOK_SECONDS = 1.0  # between two looks of who waits for it


class Lease(NamedTuple):
    """What came of an attempt to take a lease.

    Attributes:
        mine: whether it is ours now.
        held_until: up to when somebody who had it before has surely done what was due; None: nobody ever had it.
    """

    mine: bool
    held_until: float | None


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
        is_gone: whether the holder of that name is known to have ended; then nobody waits for the time to pass.

    Raises:
        StorageUnavailable: nothing is known; who held the lease goes on holding it until its time has passed.
    """
    wanted = {"holder": holder, "until": now + seconds}
    gone = _gone(role, holder, is_gone)
    with database.writing() as connection:
        before = connection.execute(leaders.select().where(leaders.c.role == role)).one_or_none()
        if before is None:
            return Lease(database.insert_if_new(connection, leaders, {"role": role, **wanted}), None)
        # One that reaches further than a lease does was written by a clock that was ahead; its holder may be long gone.
        impossible = leaders.c.until > now + 2 * seconds
        mine_or_over = (leaders.c.holder == holder) | (leaders.c.until < now) | impossible
        if gone:
            mine_or_over |= leaders.c.holder == gone
        taken = connection.execute(update(leaders).where(leaders.c.role == role, mine_or_over).values(wanted))
        # It was renewed `seconds` before `until`, and who had it may have died between that and what was due then.
        return Lease(taken.rowcount == 1, min(before.until - 2 * seconds, now))


def release(role: str, holder: str, now: float) -> None:
    """Give the lease back, so that nobody has to wait until its time has passed.

    Raises:
        StorageUnavailable: it passes by itself.
    """
    with database.writing() as connection:
        mine = (leaders.c.role == role) & (leaders.c.holder == holder)
        connection.execute(update(leaders).where(mine).values(until=now))


def _gone(role: str, holder: str, is_gone: Callable[[str], bool | None]) -> str | None:
    """The holder of the lease, if that is somebody else who has ended. Asked before the transaction, which is short."""
    with database.statements() as connection:
        held_by = connection.execute(select(leaders.c.holder).where(leaders.c.role == role)).scalar_one_or_none()
    return held_by if held_by not in (None, holder) and is_gone(str(held_by)) else None


class Leader:
    """One of several processes, of which one at a time is to do something.

    Args:
        role: what it is that is done.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self._leading = False
        self._asked: float | None = None  # monotonic seconds

    def leads(self) -> bool:
        """Whether it is this process. Asks the database every few seconds.

        Raises:
            StorageUnavailable: nobody knows.
        """
        now = time.monotonic()
        if self._asked is None or now - self._asked > (SECONDS / 4 if self._leading else LOOK_SECONDS):
            database.compare_clocks()
            self._leading = take(self.role, liveness.me(), clock.now(), is_gone=liveness.is_gone).mine
            self._asked = now
        return self._leading

    def resign(self) -> None:
        """Let another lead at once.

        Raises:
            StorageUnavailable: it will wait until the lease has passed.
        """
        if self._leading:
            self._leading = False
            release(self.role, liveness.me(), clock.now())
