"""Celery tasks: one for each job. The work is in `cars_bot`. This module is Celery's side of it.

A task gives its message to `execute` and translates the outcome for Celery: return, `retry`, raise or `Ignore`. By
then the outcome is in the database. So a message that is delivered twice is recognised.

    from celery_tasks import process_task
    process_task.delay(1, 5, "celery").get(timeout=30)
"""

import logging
from collections.abc import Sequence
from typing import Any

from billiard import current_process
from celery import Signature, Task
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from cars_bot import database, outbox, runs, workflow
from cars_bot.catalogue import JOBS, job_named
from cars_bot.context import Delivery, Step
from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.execution import execute
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, PutAside, Retry, Wait
from cars_bot.run_store.ending import put_aside
from cars_bot.settings import REDIS_PRIORITIES, settings
from celery_app import celery_app
from celery_parts import worker
from celery_parts.request import JobFailed, JobRequest

log = logging.getLogger(__name__)


class JobTask(Task):
    """Base class of all tasks of this kit."""

    Request = JobRequest
    max_retries = None  # the policy decides the number of retries, and not Celery


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
            steps = workflow.from_message(request.get("steps"))
            delivery = Delivery(
                request.id, name, job.named(*args, **kwargs), "celery", redelivered, steps, True, request.parent_id,
                limit=(request.timelimit or [None])[0], received_at=float(request.get(worker.RECEIVED_AT) or 0.0),
            )  # fmt: skip
            outcome = execute(
                delivery, worker=_child_name(request), store=worker.store, soft_limit_error=SoftTimeLimitExceeded
            )
        except Exception as error:  # after any error: the message must not come again for ever
            log.exception("message %s is put aside", request.id)
            outcome = put_aside(
                request.id, "celery", f"{type(error).__name__}: {error}", _child_name(request), worker.store
            )
        match outcome:
            case Done(result):
                if not _goes_on(steps):
                    request.chain = None
                return result
            # feature: retries with backoff and jitter
            case Retry(after) if outbox.keeps("celery", after):
                raise Ignore  # the relay sends the message when it is due
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
                # Its process may have died before it sent the next step. Celery sends the step after a return.
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
    """Return the worker's name with its child's number, as on the raw lane."""
    return f"{settings().worker_name or request.hostname}/{getattr(current_process(), 'index', 0) + 1}"


def _hand_to_relay(run_id: str) -> bool:
    """Make the relay send the run's message when it is due. False: the run waits for something else."""
    try:
        return outbox.take_back(run_id)
    except (StorageUnavailable, NotConfigured):  # a worker that reports over HTTP has no database
        return False


# feature: workflow
def signature(first: Step, args: dict[str, Any], others: Sequence[Step] = ()) -> Signature:
    """Return the message of a run or a workflow. It fixes each step's id, so a copy sends the same next step."""
    steps = [first, *others]
    sends, *following = [
        celery_app.signature(
            step.job,
            kwargs=args,
            immutable=True,  # all steps have the same arguments; no step gets the result of the step before
            task_id=step.run_id,
            priority=_priority(step),
            headers={"steps": workflow.to_message(steps[place:])},
        )
        for place, step in enumerate(steps, start=1)
    ]
    # `chain(…)` makes the same of them, with the last step first. But a chain ignores the producer of its caller.
    return sends.set(chain=following[::-1]) if following else sends


# end
# feature: priorities
def _priority(step: Step) -> int:
    """Return the priority for the broker. RabbitMQ takes the highest first, and Celery on Redis takes the lowest."""
    return max(0, max(REDIS_PRIORITIES) - step.priority) if settings().celery_over_redis else step.priority


# end
# feature: workflow
def _goes_on(steps: Sequence[Step]) -> bool:
    """Return whether the next step was accepted and has not ended. A chain that was sent by hand always goes on."""
    if not steps:
        return True
    try:
        with database.statements() as connection:
            following = runs.find(connection, steps[0].run_id)
    except (StorageUnavailable, NotConfigured):
        return False  # if the step was accepted, the reconciler finds its missing message
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

for _name in JOBS.keys() - celery_app.tasks.keys():  # the jobs of EXTRA_JOBS
    task(_name)
# end
