"""Every job as a Celery task. The work is in `cars_bot`; what stands here is Celery's side of it.

A task hands its message to `execute` and says the outcome in Celery's words: return, `retry`, raise, `Ignore`. By
then the outcome is in the database, so that a message delivered twice is recognised.

    from celery_tasks import process_task
    process_task.delay(1, 5, "celery").get(timeout=30)
"""

import ctypes
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from billiard import current_process
from billiard.einfo import ExceptionInfo
from celery import Signature, Task, bootsteps
from celery.exceptions import Ignore, SoftTimeLimitExceeded, WorkerLostError
from celery.exceptions import TimeLimitExceeded as HardLimitReached
from celery.signals import worker_init, worker_process_init, worker_ready
from celery.worker import state
from celery.worker.request import Request

from cars_bot import clients, database, ledger, outbox, runs, workflow
from cars_bot.catalogue import JOBS, job_named
from cars_bot.context import Step
from cars_bot.errors import NotConfigured, Permanent, StorageUnavailable
from cars_bot.execution import end_from_outside, execute, put_aside
from cars_bot.outcome import AlreadyEnded, AtWork, Delivery, Done, Expired, Failed, PutAside, Retry, Wait
from cars_bot.processes import liveness
from cars_bot.reporting import callback
from cars_bot.reporting.book import DATABASE_BOOK, Book
from cars_bot.settings import REDIS_PRIORITIES, settings
from celery_app import RECEIVED_AT, celery_app

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # prctl(2)


_book: Book = DATABASE_BOOK


class ReportsOverHttp(bootsteps.Step):
    """With `--report-to URL`: the runs are not in a database that this worker reaches, but behind that address."""

    def __init__(self, _worker: Any, report_to: str | None = None, **_: Any) -> None:
        if report_to:
            global _book
            try:
                _book = callback.report_to(report_to)
            except NotConfigured as error:
                raise SystemExit(str(error)) from error
            for each in celery_app.tasks.values():
                each.ignore_result = True  # Redis, where results are kept, is not reached either


celery_app.steps["worker"].add(ReportsOverHttp)


@worker_init.connect
def share_libraries(**_: Any) -> None:
    """Import what the jobs will need before the children are forked, so that not each of them does it again."""
    clients.preload()
    liveness.family()  # the children are of this process's


@worker_ready.connect
def show_that_we_live(sender: Any, **_: Any) -> None:
    """Renew the worker's lease from now on, and tell which messages it holds."""
    if _book is not DATABASE_BOOK:
        return
    name = settings().worker_name or sender.hostname
    queues = [queue.name for queue in sender.task_consumer.queues] if sender.task_consumer else []
    liveness.Heartbeat(name, "celery", queues, _held).start()


def _held() -> list[str]:
    """The ids of the tasks that this worker has received and not begun."""
    while True:
        try:
            received = {*state.reserved_requests, *state.scheduled_requests}
            return [request.id for request in received - set(state.active_requests)]
        except RuntimeError:  # one more came while we looked
            continue


@worker_process_init.connect
def end_with_the_parent(**_: Any) -> None:
    """Have the kernel kill this child when its parent is gone: nobody would settle its message, nor enforce limits."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class JobFailed(Permanent):
    """The run ended FAILED; the message is the run's error."""


class JobRequest(Request):
    """A request that settles what its child cannot: the child was killed, or had ended the run and was killed then.

    This is the worker's parent process.
    """

    def on_failure(self, exc_info: ExceptionInfo, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Called when the task raised, when it is past its hard limit, or when its child is gone."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)  # without the traceback around it
        # feature: soft and hard time limits
        if isinstance(error, HardLimitReached) and self._end(f"TimeLimitExceeded: killed after {error.args[0]:g} s"):
            self.reject(requeue=False)  # before Celery puts the message back: a dead letter, as of any failed run
        # end
        # feature: lost-child handling
        if isinstance(error, WorkerLostError | SystemExit) and self.worker_pid:
            with _database():
                _book.lost(self.id, "celery", self.worker_pid, self._worker(), str(error))
        # end
        super().on_failure(exc_info, send_failed_event, return_ok)

    # feature: poison-message limit
    def revoked(self) -> bool:
        """Called before the task is given to a child. A run that has ended needs none: its message is settled here.

        Without this, one whose message takes the child down comes for ever.
        """
        if super().revoked():
            return True
        if _book is not DATABASE_BOOK or not (self.delivery_info or {}).get("redelivered"):
            return False
        run = None
        with _database(), database.statements() as connection:
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
        """Whether a child has to send what follows in its chain."""
        _args, _kwargs, embedded = self._payload
        return run.state == "DONE" and bool(embedded.get("chain"))

    # feature: soft and hard time limits
    def _end(self, error: str) -> bool:
        """End the run; False: the message has to come once more, for the run has ended, or nobody can tell.

        A run that ended just before the limit is met again in `revoked`. A message whose limit strikes before the run
        has a row would come for ever: the second time is the last.
        """
        with _database():
            ended = end_from_outside(self.id, "celery", error, self._worker(), _book)
            return ended or bool((self.delivery_info or {}).get("redelivered"))
        return False

    # end

    def _worker(self) -> str:
        return str(settings().worker_name or self.hostname)


@contextmanager
def _database() -> Iterator[None]:
    """Use the database for a moment in the parent; it may be away."""
    try:
        with liveness.between_forks():
            yield
    except StorageUnavailable as error:
        log.warning("%s", error)


class JobTask(Task):
    """What all tasks of this kit share."""

    Request = JobRequest
    max_retries = None  # how often is the policy's decision, not Celery's


def task(name: str) -> Task:
    """Register the job called `name` as a Celery task of that name."""
    job = job_named(name)

    def run(self: Task, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        # feature: poison-message limit
        redelivered = bool((request.delivery_info or {}).get("redelivered"))
        # end
        steps: list[Step] = []
        try:
            steps = workflow.read(request.get("steps"))
            delivery = Delivery(
                request.id, name, job.named(*args, **kwargs), "celery", redelivered, steps, True, request.parent_id,
                limit=(request.timelimit or [None])[0], received_at=float(request.get(RECEIVED_AT) or 0.0),
            )  # fmt: skip
            outcome = execute(delivery, worker=_child_name(request), book=_book, soft_limit_error=SoftTimeLimitExceeded)
        except Exception as error:  # whatever it is: the message must not come for ever
            log.exception("message %s is put aside", request.id)
            outcome = put_aside(request.id, "celery", f"{type(error).__name__}: {error}", _child_name(request), _book)
        match outcome:
            case Done(result):
                if not _goes_on(steps):
                    request.chain = None
                return result
            # feature: retries with backoff and jitter
            case Retry(after) if outbox.keeps("celery", after):
                raise Ignore  # the relay sends it when it is due
            case Retry(after, why):
                raise self.retry(countdown=after, exc=JobFailed(why))
            # end
            case Wait(after, why):
                if outbox.keeps("celery", after) and _hand_to_relay(request.id):
                    raise Ignore
                raise self.retry(countdown=min(after, outbox.SHORT_WAIT), exc=JobFailed(why))
            case Failed(why) | PutAside(why):
                raise JobFailed(why)
            # feature: workflow
            case AlreadyEnded("DONE") if request.chain and _goes_on(steps):
                # Whoever did it may have died before it sent the next step: returning is what sends it.
                return _stored_result(request.id)
            # end
            case Expired() | AlreadyEnded() | AtWork():
                raise Ignore

    return celery_app.task(
        run,
        bind=True,
        base=JobTask,
        name=name,
        # feature: soft and hard time limits
        soft_time_limit=job.policy.soft_time_limit,
        time_limit=job.policy.hard_time_limit,
        # end
        ignore_result=not job.policy.keep_result,
    )


def _child_name(request: Any) -> str:
    """The worker's name and its child's number, as on the other lane."""
    return f"{settings().worker_name or request.hostname}/{getattr(current_process(), 'index', 0) + 1}"


def _hand_to_relay(run_id: str) -> bool:
    """Have the relay send the run's message when it is due. False: the run waits for something else."""
    try:
        return outbox.take_back(run_id)
    except (StorageUnavailable, NotConfigured):  # a worker that reports over HTTP has none
        return False


# feature: workflow
def signature(first: Step, args: dict[str, Any], others: Sequence[Step] = ()) -> Signature:
    """What sends a run, or the chain of a workflow. Each step's id is fixed here: a copy sends the same next one."""
    steps = [first, *others]
    sends, *following = [
        celery_app.signature(
            step.job,
            kwargs=args,
            immutable=True,  # all steps have the same arguments; none is given the result of the one before
            task_id=step.run_id,
            priority=_priority(step),
            headers={"steps": workflow.told(steps[place:])},
        )
        for place, step in enumerate(steps, start=1)
    ]
    # This is what `chain(…)` makes of them, the last first; but a chain does not use the producer it is sent with.
    return sends.set(chain=following[::-1]) if following else sends


# end
# feature: priorities
def _priority(step: Step) -> int:
    """RabbitMQ takes the highest first, Celery on Redis the lowest, whatever its queue's highest is."""
    return max(0, max(REDIS_PRIORITIES) - step.priority) if settings().celery_over_redis else step.priority


# end
# feature: workflow
def _goes_on(steps: Sequence[Step]) -> bool:
    """Whether the next step was accepted, with the outcome, and is still to be done. A chain sent by hand goes on."""
    if not steps:
        return True
    try:
        with database.statements() as connection:
            following = runs.find(connection, steps[0].run_id)
    except (StorageUnavailable, NotConfigured):
        return False  # if it was accepted, the reconciler finds that it is missing
    return following is not None and following.finished_at is None


def _stored_result(run_id: str) -> Any:
    with database.statements() as connection:
        run = runs.find(connection, run_id)
    return None if run is None else run.result


# end
# feature: registration and dispatch
process_task = task("process_task")
process_data = task("process_data")
test_task = task("test_task")
example_async_task = task("example_async_task")
debug_task = task("debug_task")

process_post = task("process_post")
classify_post = task("classify_post")
extract_data = task("extract_data")
generate_description = task("generate_description")

publish_post = task("publish_post")
send_contact_info = task("send_contact_info")

sync_channels = task("sync_channels")
sync_subscribers = task("sync_subscribers")
update_analytics = task("update_analytics")
log_to_sheets = task("log_to_sheets")

check_subscriptions = task("check_subscriptions")
collect_stats = task("collect_stats")
cleanup_old_results = task("cleanup_old_results")
health_check = task("health_check")

for _name in JOBS.keys() - celery_app.tasks.keys():  # EXTRA_JOBS of labs and tests
    task(_name)
# end
