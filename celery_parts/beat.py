"""Beat: Celery's scheduler, with an id for each due time of the schedule and a memory in the database."""

import copy
import logging
import sys
from datetime import datetime
from typing import Any

from celery import platforms
from celery.apps.beat import Beat
from celery.beat import ScheduleEntry, Scheduler, Service

from cars_bot import database
from cars_bot.catalogue import SCHEDULE
from cars_bot.errors import StorageUnavailable
from cars_bot.processes import leases
from cars_bot.schedule import latest_due, run_id

log = logging.getLogger(__name__)


class InterruptibleBeat(Beat):
    """Celery's Beat as a process. It obeys SIGTERM and SIGINT at any moment.

    Celery's own Beat closes its scheduler inside the signal handler. If the signal comes while the scheduler is being
    made, the handler makes a second one. The second one waits for ever for a lock of the first one.
    """

    def install_sync_handler(self, service: Service) -> None:
        """Let SIGTERM and SIGINT only interrupt the service. The service then closes its scheduler itself."""

        def interrupt(*_: object) -> None:
            sys.exit()

        platforms.signals.update(SIGTERM=interrupt, SIGINT=interrupt)


# feature: schedule
class OneRunPerDueTime(Scheduler):
    """Celery's Beat, with other ids and another memory.

    Each id is made from the task's due time. So a run that a second Beat sends is recognised as a copy. Two Beats may
    run, and the schedule goes on if one of them dies.

    The database knows until when there was a Beat. Celery's own Beat keeps that in a file, and two Beats destroy it. If
    a clock was ahead, the file says "tomorrow", and Beat sends nothing until then.
    """

    def setup_schedule(self) -> None:
        """Read the schedule. A Beat that was away sends its latest missed run. The very first Beat sends none."""
        since = self._hold()
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = since or entry.default_now()
        self.latest = self.app.now()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the due tasks. Return the seconds until the next look."""
        self._hold()
        now = self.app.now()
        if now < self.latest:  # the clock was set back
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at, now)
            self._heap = None  # it has the times of the next looks, by the old clock
        self.latest = now
        return float(super().tick(*args, **kwargs))

    def _hold(self) -> datetime | None:
        """Record in the database that there is a Beat. Return until when there was one. All Beats are one holder."""
        try:
            database.compare_clocks()
            held_until = leases.take("beat", "beat", self.app.now().timestamp()).held_until
        except StorageUnavailable as error:
            log.warning("Beat goes on without its memory: %s", error)
            return None
        return None if held_until is None else datetime.fromtimestamp(held_until, self.app.timezone)

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Send the task of an entry that is due."""
        tick = SCHEDULE.get(entry.name)  # Celery may add entries of its own
        if tick and (due := latest_due(tick, entry.default_now().timestamp())) is not None:
            entry = copy.copy(entry)
            entry.options = {**entry.options, "task_id": run_id("celery", entry.name, due)}
        return super().apply_async(entry, *args, **kwargs)


# end
