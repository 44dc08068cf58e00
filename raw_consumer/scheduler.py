"""The hand-written Beat: when a schedule's time has come, its run is put into the outbox. Nothing else is done here.

Any number of schedulers may run. One is the leader, as long as it keeps renewing a lease in the database; another
takes over when the lease runs out. That alone would not be safe, because a leader may be frozen, or its clock may be
wrong, and two may lead for a moment. So a run's id is made from its schedule and its slot (the minute it is for):
who comes second finds the run there.

A scheduler that was away runs the latest slot it missed, once, and leaves the rest: nobody wants sixty syncs after
an hour.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from cars_bot import database, ledger, runs
from cars_bot.catalogue import SCHEDULE, Tick, job_named
from cars_bot.errors import StorageUnavailable
from cars_bot.models import leaders

log = logging.getLogger(__name__)

ROLE = "scheduler"
LEASE_SECONDS = 10.0
LOOK_SECONDS = 1.0
MINUTE = timedelta(minutes=1)
LONGEST_GAP = timedelta(days=366)  # how far back a slot is looked for


# feature: schedule
def matches(crontab: str, at: datetime) -> bool:
    """Whether the line (minute hour day month weekday; each `*`, `*/n`, `a`, `a-b` or `a,b`) names the minute `at`."""
    minute, hour, day, month, weekday = crontab.split()
    values = (minute, at.minute, 0), (hour, at.hour, 0), (month, at.month, 1)
    on_day, on_weekday = _field(day, at.day, 1), _field(weekday, at.isoweekday() % 7, 0)
    # The one odd rule of cron: when both days are given, either will do.
    right_day = on_day or on_weekday if "*" not in (day[0], weekday[0]) else on_day and on_weekday
    return right_day and all(_field(*value) for value in values)


def _field(field: str, value: int, lowest: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            inside, start = True, lowest
        else:
            start = int(first)
            inside = start <= value <= int(last or first)
        if inside and (value - start) % int(step or 1) == 0:
            return True
    return False


def latest_slot(crontab: str, now: float, after: float) -> float | None:
    """The latest minute up to `now` and later than `after` that the line names (seconds since 1970), or None."""
    slot = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
    oldest = max(datetime.fromtimestamp(after, UTC), slot - LONGEST_GAP)
    while slot > oldest:
        if matches(crontab, slot):
            return slot.timestamp()
        slot -= MINUTE
    return None


def run_id(schedule: str, slot: float) -> str:
    """The id of the run for that schedule and slot: a UUIDv7, so it sorts by time, whose random part is a hash."""
    digest = hashlib.sha256(f"{schedule}@{slot:.0f}".encode()).digest()
    value = int(slot * 1000).to_bytes(6) + digest[:10]
    return str(uuid.UUID(int=int.from_bytes(value) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62))


class Scheduler:
    """One of the schedulers.

    Args:
        name: tells it from the others.
        clock: seconds since 1970.
    """

    def __init__(
        self, name: str, clock: Callable[[], float] = time.time, schedule: Mapping[str, Tick] = SCHEDULE
    ) -> None:
        self.name, self.clock, self.schedule = name, clock, schedule
        self.handled: dict[str, float] = {}  # by schedule: up to when its slots are taken care of
        self.leading = False

    def tick(self) -> list[str]:
        """Do what is due now, if we lead; return the ids of the runs that were accepted.

        Raises:
            StorageUnavailable: the database cannot be used now; call again later.
        """
        now = self.clock()
        if not self._lead(now):
            return []
        accepted = []
        for name, tick in self.schedule.items():
            slot = latest_slot(tick.crontab, now, self.handled[name])
            if slot is not None:
                accepted += self._accept(run_id(name, slot), tick)
            self.handled[name] = max(now, self.handled[name])
        return accepted

    def _accept(self, new: str, tick: Tick) -> list[str]:
        job = job_named(tick.job)
        try:
            with database.writing() as connection:
                if runs.find(connection, new) is not None:
                    return []
                runs.accept(connection, job, "raw", {}, run_id=new)
        except IntegrityError:  # another scheduler was faster by a hair
            return []
        ledger.record("accepted", new, "raw")
        log.info("%s is due: run %s", job.name, new)
        return [new]

    def _lead(self, now: float) -> bool:
        """Take or renew the lease, if nobody else holds it."""
        mine_or_over = (leaders.c.holder == self.name) | (leaders.c.until < now)
        lease = {"holder": self.name, "until": now + LEASE_SECONDS}
        with database.writing() as connection:
            before = connection.execute(leaders.select().where(leaders.c.role == ROLE)).one_or_none()
            if before is None:
                took = database.insert_if_new(connection, leaders, {"role": ROLE, **lease})
            else:
                took = (
                    connection.execute(
                        update(leaders).where(leaders.c.role == ROLE, mine_or_over).values(lease)
                    ).rowcount
                    == 1
                )
        if took and not self.leading:
            # What the leader before us did not get to is ours; if there never was one, nothing is late.
            since = now if before is None else min(now, before.until - LEASE_SECONDS)
            self.handled = {name: max(since, self.handled.get(name, 0.0)) for name in self.schedule}
            log.info("%s leads", self.name)
        self.leading = took
        return took


# end


def run_for_ever(name: str) -> NoReturn:
    """Tick every second. A database that is away is waited for; signals end the process, there is nothing to finish."""
    scheduler = Scheduler(name)
    while True:
        try:
            scheduler.tick()
        except StorageUnavailable as error:
            log.warning("%s", error)
        time.sleep(LOOK_SECONDS)
