"""Request of a task in the worker's parent process: it settles the message if the child cannot."""

from billiard.einfo import ExceptionInfo
from celery.exceptions import TimeLimitExceeded as HardLimitReached
from celery.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from cars_bot import database, ledger, runs
from cars_bot.errors import Permanent
from cars_bot.processes import heartbeat
from cars_bot.run_store.ending import end_from_outside
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.settings import settings
from celery_parts import worker


class JobFailed(Permanent):
    """The run ended FAILED. The message is the run's error."""


class JobRequest(Request):
    """A request that settles its message if the child cannot. The child was killed, perhaps after it ended the run.

    Its methods run in the worker's parent process.
    """

    def on_failure(self, exc_info: ExceptionInfo, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Settle the message. Celery calls it if the task raised, passed its hard limit, or lost its child."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)  # without the traceback around it
        # feature: soft and hard time limits
        if isinstance(error, HardLimitReached) and self._end(f"TimeLimitExceeded: killed after {error.args[0]:g} s"):
            self.reject(requeue=False)  # before Celery requeues it: a dead letter, as of each failed run
        # end
        # feature: lost-child handling
        if isinstance(error, WorkerLostError | SystemExit) and self.worker_pid:
            with heartbeat.database_if_it_is_there():
                worker.store.record_loss(self.id, "celery", self.worker_pid, self._worker(), str(error))
        # end
        super().on_failure(exc_info, send_failed_event, return_ok)

    # feature: poison-message limit
    def revoked(self) -> bool:
        """Settle the message of a run that has ended. Celery calls it before it gives the task to a child.

        Without it, a message that kills its child would come again for ever.
        """
        if super().revoked():
            return True
        if worker.store is not DATABASE_STORE or not (self.delivery_info or {}).get("redelivered"):
            return False
        run = None
        with heartbeat.database_if_it_is_there(), database.statements() as connection:
            run = runs.find(connection, self.id)
        if run is None or run.state not in runs.ENDED or self._goes_on_after(run):
            return False
        ledger.record("superseded", self.id, "celery", worker=self._worker(), detail=run.state)
        if run.state == "FAILED":
            self.reject(requeue=False)
        else:
            self.acknowledge()
        self._already_revoked = True
        state.task_ready(self)
        return True

    # end
    def _goes_on_after(self, run: runs.Run) -> bool:
        """Return whether a child must send the next step of the chain."""
        _args, _kwargs, embedded = self._payload
        return run.state == "DONE" and bool(embedded.get("chain"))

    # feature: soft and hard time limits
    def _end(self, error: str) -> bool:
        """End the run. False: the message must come once more, because the run has ended, or that is unknown.

        `revoked` settles the message of a run that ended just before the limit. If the limit strikes before the run has
        a row, the message would come for ever. So its second delivery is the last.
        """
        with heartbeat.database_if_it_is_there():
            ended = end_from_outside(self.id, "celery", error, self._worker(), worker.store)
            return ended or bool((self.delivery_info or {}).get("redelivered"))
        return False

    # end

    def _worker(self) -> str:
        return str(settings().worker_name or self.hostname)
