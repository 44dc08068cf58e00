"""The hand-written Beat: it puts the run of a schedule into the outbox when the schedule is due.

Any number of schedulers may run. The leader renews a lease in the database; another takes over when the lease ends.
A leader may be frozen, or its clock may be wrong. Then two lead for a moment. So a run's id is made from its schedule
and its due time (`cars_bot/schedule.py`), and the second scheduler finds the run there.

After a pause, a scheduler runs only the latest due time that it missed: sixty syncs after an hour would help nobody.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from sqlalchemy.exc import IntegrityError

from cars_bot import database, ledger, runs
from cars_bot.catalogue import SCHEDULE, job_named
from cars_bot.errors import StorageUnavailable
from cars_bot.processes import clock, leases
from cars_bot.schedule import Tick, latest_due, run_id

log = logging.getLogger(__name__)

ROLE = "scheduler"
LOOK_SECONDS = 1.0


# feature: schedule
class Scheduler:
    """One of the schedulers.

    Args:
        name: the scheduler's own name.
        now: seconds since 1970, by the clock that all processes share.
    """

    def __init__(
        self, name: str, now: Callable[[], float] = clock.now, schedule: Mapping[str, Tick] = SCHEDULE
    ) -> None:
        self.name, self.now, self.schedule = name, now, schedule
        self.handled: dict[str, float] = {}  # by schedule: its due times are done up to this moment
        self.leading = False

    def tick(self) -> list[str]:
        """Accept the runs that are due now, if this scheduler leads; return their ids.

        Raises:
            StorageUnavailable: the database cannot be used now; call again later.
        """
        database.compare_clocks()
        now = self.now()
        if not self._lead(now):
            return []
        accepted = []
        for name, tick in self.schedule.items():
            after = min(self.handled[name], now)  # a clock that was ahead must not silence the schedule
            if (due := latest_due(tick, now, after)) is not None:
                accepted += self._accept(run_id("raw", name, due), tick)
            self.handled[name] = now
        return accepted

    def _accept(self, new: str, tick: Tick) -> list[str]:
        job = job_named(tick.job)
        try:
            with database.writing() as connection:
                if runs.find(connection, new) is not None:
                    return []
                runs.accept(connection, job, "raw", {}, run_id=new)
        except IntegrityError:  # another scheduler was faster
            return []
        ledger.record("accepted", new, "raw")
        log.info("%s is due: run %s", job.name, new)
        return [new]

    def _lead(self, now: float) -> bool:
        """Take or renew the lease, unless another scheduler holds it."""
        lease = leases.take(ROLE, self.name, now)
        if lease.mine and not self.leading:
            # This leader continues where the last one stopped. Without a last one, nothing is late.
            since = now if lease.held_until is None else lease.held_until
            self.handled = {name: max(since, self.handled.get(name, 0.0)) for name in self.schedule}
            log.info("%s leads", self.name)
        self.leading = lease.mine
        return lease.mine


# end


def run_for_ever(name: str, now: Callable[[], float] = clock.now) -> NoReturn:
    """Tick every second, also while the database is away. A signal ends the process: there is nothing to finish."""
    scheduler = Scheduler(name, now)
    while True:
        try:
            scheduler.tick()
        except StorageUnavailable as error:
            log.warning("%s", error)
        time.sleep(LOOK_SECONDS)
