"""Skip this file on a first reading: the run store of the raw lane's children, faster on SQLite.

On SQLite it makes one commit for each run, and not two. The measurement behind it is weak: two rounds of `./kit bench`
on a noisy machine gave 2,783 no-op jobs per second with it, and 2,443 without it.
"""

from collections.abc import Callable

from cars_bot import database
from cars_bot.catalogue import Job, job_named
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.outcome import Done, Failed, Refused, Retry
from cars_bot.run_store import begin_attempt
from cars_bot.run_store.in_database import DatabaseStore


class ReadAheadStore(DatabaseStore):
    """A run store for a process that already has its next message.

    On SQLite it ends a run and takes the next one in one transaction. There, a transaction costs more than its content.
    It needs the lock, and it reads each page again that another process may have changed. PostgreSQL would need four
    round trips instead of two, so it is not used there.

    Args:
        following: returns the next message, or None if there is none to begin now. The next call of `begin` must get
            the same object.
    """

    def __init__(self, following: Callable[[], Delivery | None]) -> None:
        self._following = following
        self._taken: tuple[Delivery, Attempt] | None = None

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `RunStore.begin`."""
        taken, self._taken = self._taken, None
        if taken and taken[0] is delivery:
            return taken[1]
        return super().begin(delivery, job, worker)

    def record(self, context: Context, outcome: Done | Retry | Failed, began: float) -> Refused | None:
        """See `RunStore.record`."""
        following = self._following() if database.is_file() else None
        if following is None:
            return super().record(context, outcome, began)
        with database.statements_together() as connection:
            kept = self._record(connection, context, outcome)
            if kept and isinstance(outcome, Done):
                self._record_writes(connection, context)
            attempt = begin_attempt.take_in(connection, following, job_named(following.job), context.worker)
        self._taken = (following, attempt) if attempt else None
        return None if kept else self._why_refused(context)
