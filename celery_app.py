"""Celery application: broker, queues, routing, limits and the Beat schedule, each setting with its reason.

`cars_bot/catalogue.py` sets the queue, the retries and the time limits of each job, because both lanes obey them. This
module repeats them as Celery's settings. The tasks themselves are in `celery_tasks.py`.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import Celery
from celery.bin.base import CeleryOption
from celery.schedules import crontab, schedule
from celery.signals import beat_init, celeryd_init, worker_init
from celery.utils.nodenames import default_nodename

from cars_bot.processes import startup  # first: bad settings end the process here

# isort: split
from cars_bot.boundary import for_celery
from cars_bot.catalogue import JOBS, SCHEDULE
from cars_bot.policy import Policy
from cars_bot.processes import clock
from cars_bot.settings import REDIS_PRIORITIES, settings

# The program `celery` finds this module in the current folder, but not our other modules. A worker needs them too.
sys.path.append(str(Path(__file__).resolve().parent))

from celery_parts import broker
from celery_parts import logs as logs

DEFAULTS = Policy()

os.environ.pop("CELERY_BROKER_URL", None)  # Celery prefers it, but only our setting knows `redis://`
celery_app = app = Celery("cars_bot", include=["celery_tasks"])
app.user_options["worker"].add(
    CeleryOption(
        ["--report-to"],
        metavar="URL",
        is_flag=False,
        flag_value=settings().api_url,
        help="This worker has no database. It reports to the API at URL over HTTP (default: API_URL).",
    )
)
app.Beat = app.subclass_with_self("celery_parts.beat:InterruptibleBeat")  # the program that `celery beat` runs
app.now = lambda: datetime.fromtimestamp(clock.now(), app.timezone)  # the clock that all processes share
app.conf.update(
    **for_celery.connection(settings()),  # the broker's address, and the check of TLS
    broker_transport_options=broker.transport_options(),
    broker_connection_retry_on_startup=True,  # a worker that starts before its broker waits for it
    broker_connection_max_retries=None,  # a worker that loses its broker never gives up
    # Seconds. A dead peer is noticed within two heartbeats.
    broker_heartbeat=for_celery.broker_options(settings()).get("heartbeat", 20),
    broker_channel_error_retry=True,  # the same if the broker closed its channel, after a message was held for too long
    # JSON only, in and out. To unpickle a message is to run a stranger's code.
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    worker_consumer="celery_parts.consumer:CarefulConsumer",  # an unreadable message becomes a dead letter
    # One queue for each kind of work, so that a slow kind does not hold up the others.
    task_queues=broker.queues(),
    # feature: routing to queues
    task_routes={job.name: broker.route(job.queue.name) for job in JOBS.values()},
    # end
    task_default_queue="default",
    task_default_exchange=broker.EXCHANGE,
    task_default_routing_key="default",
    task_create_missing_queues=False,  # a misspelt queue is an error, and not a new queue without a worker
    # Acknowledge after the work. The default is early acknowledgement. It loses the job if its worker is killed.
    # feature: ack after the outcome is durable
    task_acks_late=True,
    # end
    # feature: lost-child handling
    task_reject_on_worker_lost=True,  # without it, a killed child's message is acknowledged
    # end
    # feature: dead letters with replay
    task_acks_on_failure_or_timeout=False,  # a failed run's message is rejected and becomes a dead letter
    # end
    # Redis has no dead letters. There, a rejected message is gone, and only the run's row shows its end.
    task_default_priority=max(REDIS_PRIORITIES) if settings().celery_over_redis else None,  # without a priority: last
    # feature: prefetch
    worker_prefetch_multiplier=1,  # with more, a worker keeps messages from idle ones, and low priorities before high
    # end
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the outcome is in the database; a late ack is harmless
    # The soft limit raises an error inside the job. The hard limit kills the child.
    task_soft_time_limit=DEFAULTS.soft_time_limit,
    task_time_limit=DEFAULTS.hard_time_limit,
    # A memory leak in a job or its libraries ends with the child. But a new child costs much. With a new child after
    # every 100 jobs, stock Celery did 600 no-op jobs a second instead of 3,800.
    # feature: recycling children
    worker_max_tasks_per_child=settings().jobs_per_child,
    # end
    # With results, `.get()` works for tasks sent by hand. The kit itself reads them from the database.
    # feature: results
    result_backend=for_celery.result_backend(settings()),
    # end
    result_expires=86_400,
    redis_socket_timeout=2.0,
    redis_socket_connect_timeout=2.0,
    # A missing Redis must not hold up a worker, because the outcome is in the database by then.
    result_backend_transport_options={
        "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
    },
    task_store_errors_even_if_ignored=False,
    worker_send_task_events=False,  # Flower switches them on if it runs
    enable_utc=True,
    timezone="UTC",
    # Beat only decides the time. A worker does the work, with its retries and limits.
    # feature: schedule
    beat_schedule={
        name: {"task": tick.job, "schedule": schedule(tick.every) if tick.every else crontab.from_string(tick.crontab)}
        for name, tick in SCHEDULE.items()
    },
    beat_scheduler="celery_parts.beat:OneRunPerDueTime",
    beat_max_loop_interval=5,  # seconds; Beat notices a changed clock at the next look
    # end
)

app.steps["consumer"].add(broker.DeadLetterQueue)
# feature: prefetch
app.steps["consumer"].add("celery_parts.read_ahead:ReadAhead")  # a few more messages while jobs are short
# end
app.steps["worker"].add("celery_parts.worker:ReportsOverHttp")


@worker_init.connect
@beat_init.connect
def need_the_database(**_: object) -> None:
    """Make the database's folder, or end the worker with the reason before it takes a message."""
    startup.need_folder()


@celeryd_init.connect
def name_the_worker(sender: str, instance: Any, **_: object) -> None:
    """Give a worker that was started without a name (`-n`) its own name.

    Each worker has a mailbox in the broker with the worker's name. The broker gives it to only one connection. A second
    worker of the same name would end with ResourceLocked.
    """
    if sender == default_nodename(None):
        instance.hostname = default_nodename(f"celery-{os.getpid()}@%h")
