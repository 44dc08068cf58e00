"""Protocol of a run store: it takes attempts and records their outcomes.

A lane acknowledges a message only after `record`. Writes, effects and next runs are committed together with the
outcome, or not at all.
"""

from typing import Protocol

from cars_bot.catalogue import Job
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.outcome import Done, Failed, Refused, Retry


class RunStore(Protocol):
    """A place for attempts and outcomes: the database (`in_database.py`), or the API over HTTP (`over_http.py`)."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """Take the run's next attempt for this process, or return the reason against it.

        Raises:
            StorageUnavailable: it is unknown whether the attempt was taken; the message has to come again.
            Unstorable: the run has no row and can never have one.
        """
        ...

    def record(self, context: Context, outcome: Done | Retry | Failed, began: float) -> Refused | None:
        """Commit the outcome of an attempt with all that the context holds.

        Returns:
            None if it was committed. Otherwise the run has ended, or another process holds it; nothing was changed.

        Raises:
            StorageUnavailable: nothing was committed, or that is unknown; call again.
            Exception: the database will never take it.
        """
        ...

    def fail(self, run_id: str, error: str) -> bool:
        """End a run as FAILED if its own process cannot, because it was killed. False: the run had ended.

        Raises:
            StorageUnavailable: the end is unknown.
        """
        ...

    def fail_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """End a run as FAILED if it waits in that lane, or if `holder` took it and did not begin. False: it does not.

        Raises:
            StorageUnavailable: the end is unknown.
        """
        ...

    def record_loss(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """Record the death of our child `pid` during a run.

        Raises:
            StorageUnavailable: not recorded; the next receiver of the message finds out.
        """
        ...

    def is_revoked(self, run_id: str) -> bool:
        """Return whether a person has revoked the run.

        Raises:
            StorageUnavailable: the answer is unknown.
        """
        ...
