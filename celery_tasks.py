"""Every job as a Celery task. The work is in `cars_bot`; what stands here is Celery's side of it.

A task hands its message to `execute` and says the outcome in Celery's words: return, `retry`, raise, `Ignore`. By
then the outcome is in the database, so that a message delivered twice is recognised.

    from celery_tasks import process_task
    process_task.delay(1, 5, "celery").get(timeout=30)
"""

from typing import Any

from celery import Task
from celery.exceptions import Ignore, InvalidTaskError, SoftTimeLimitExceeded
from celery.signals import worker_init
from celery.worker import strategy
from celery.worker.request import Request

from cars_bot import clients
from cars_bot.catalogue import JOBS, job_named
from cars_bot.errors import Permanent
from cars_bot.execution import AlreadyEnded, Delivery, Done, Expired, Failed, Retry, end_from_outside, execute
from cars_bot.settings import settings
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
        if not soft:
            error = f"TimeLimitExceeded: killed after {timeout:.0f} s"
            end_from_outside(self.id, "celery", error, settings().worker_name or self.hostname)
            self.reject(requeue=False)  # Celery leaves the message unacknowledged here, and its place taken


def take_in(task: Task, app: Any, consumer: Any, **options: Any) -> Any:
    """Celery's way of taking messages in, behind a check: one that only looks like a task would end the worker.

    It would be delivered to the next worker then, and end that one too.
    """
    default = strategy.default(task, app, consumer, **options)

    def checked(message: Any, *args: Any) -> None:
        if message.content_type != "application/json" or not isinstance(message.payload, list | dict):
            raise InvalidTaskError(f"content type {message.content_type!r}; only JSON of a list or an object is read")
        if not message.headers.get("id") and "id" not in message.payload:
            raise InvalidTaskError("it has no id")
        default(message, *args)

    return checked


class JobTask(Task):
    """What all tasks of this kit share."""

    Request = JobRequest
    Strategy = staticmethod(take_in)
    max_retries = None  # how often is the policy's decision, not Celery's


def task(name: str) -> Task:
    """Register the job called `name` as a Celery task of that name."""
    job = job_named(name)

    def run(self: Task, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        redelivered = bool((request.delivery_info or {}).get("redelivered"))
        delivery = Delivery(request.id, name, job.named(*args, **kwargs), "celery", redelivered)
        worker = settings().worker_name or request.hostname
        match execute(delivery, worker=worker, soft_limit_error=SoftTimeLimitExceeded):
            case Done(result):
                return result
            case Retry(after, error):
                raise self.retry(countdown=after, exc=JobFailed(error))
            case Failed(error):
                raise JobFailed(error)
            case Expired() | AlreadyEnded():
                raise Ignore

    return celery_app.task(
        run,
        bind=True,
        base=JobTask,
        name=name,
        soft_time_limit=job.policy.soft_time_limit,
        time_limit=job.policy.hard_time_limit,
        ignore_result=not job.policy.keep_result,
    )


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
