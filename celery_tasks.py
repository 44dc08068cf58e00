"""Every job as a Celery task. The work is in `cars_bot`; what stands here is Celery's side of it.

A task hands its message to `execute` and says the outcome in Celery's words: return, `retry`, raise, `Ignore`. By
then the outcome is in the database, so that a message delivered twice is recognised.

    from celery_tasks import process_task
    process_task.delay(1, 5, "celery").get(timeout=30)
"""

from collections.abc import Sequence
from typing import Any

from celery import Signature, Task
from celery.exceptions import Ignore, SoftTimeLimitExceeded
from celery.signals import worker_init
from celery.worker.request import Request

from cars_bot import clients, database, runs, workflow
from cars_bot.catalogue import JOBS, job_named
from cars_bot.context import Step
from cars_bot.errors import Permanent, StorageUnavailable
from cars_bot.execution import end_from_outside, execute
from cars_bot.outcome import AlreadyEnded, Delivery, Done, Expired, Failed, Retry
from cars_bot.settings import REDIS_PRIORITIES, settings
from celery_app import celery_app


@worker_init.connect
def share_libraries(**_: Any) -> None:
    """Import what the jobs will need before the children are forked, so that not each of them does it again."""
    clients.preload()


class JobFailed(Permanent):
    """The run ended FAILED; the message is the run's error."""


class JobRequest(Request):
    """A request that writes down what its child cannot: that it was killed at the hard time limit."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Called in the worker's parent process when a limit is reached."""
        super().on_timeout(soft, timeout)
        # feature: soft and hard time limits
        if not soft:
            error = f"TimeLimitExceeded: killed after {timeout:.0f} s"
            end_from_outside(self.id, "celery", error, settings().worker_name or self.hostname)
            self.reject(requeue=False)  # Celery leaves the message unacknowledged here, and its place taken
        # end


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
        steps = workflow.read(request.get("steps"))
        delivery = Delivery(
            request.id, name, job.named(*args, **kwargs), "celery", redelivered, steps, True, request.parent_id
        )
        worker = settings().worker_name or request.hostname
        match execute(delivery, worker=worker, soft_limit_error=SoftTimeLimitExceeded):
            case Done(result):
                if not _goes_on(steps):
                    request.chain = None
                return result
            # feature: retries with backoff and jitter
            case Retry(after, error):
                raise self.retry(countdown=after, exc=JobFailed(error))
            # end
            case Failed(error):
                raise JobFailed(error)
            # feature: workflow
            case AlreadyEnded("DONE") if request.chain and _goes_on(steps):
                # Whoever did it may have died before it sent the next step: returning is what sends it.
                return _stored_result(request.id)
            # end
            case Expired() | AlreadyEnded():
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
    except StorageUnavailable:
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
