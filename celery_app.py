"""The one Celery(): broker, queues, routing, limits and the Beat schedule, each setting with its why.

What a job is allowed (queue, retries, time limits) stands in `cars_bot/catalogue.py`, because the other lane obeys it
too; here it is only said in Celery's words. The tasks themselves are in `celery_tasks.py`.
"""

import copy
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from amqp.exceptions import PreconditionFailed
from celery import Celery, bootsteps
from celery.app.log import TaskFormatter
from celery.beat import ScheduleEntry, Scheduler
from celery.bin.base import CeleryOption
from celery.schedules import crontab, schedule
from celery.signals import after_setup_logger, beat_init, celeryd_init, worker_init
from celery.utils.nodenames import default_nodename
from kombu import Connection, Exchange, Queue
from kombu.transport import redis as over_redis

from cars_bot.processes import startup  # first: bad settings end the process here
# isort: split
from cars_bot import database
from cars_bot.boundary import for_celery
from cars_bot.boundary.log_lines import escaped, indented
from cars_bot.catalogue import JOBS, QUEUES, SCHEDULE, Policy
from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.processes import clock, leases, ownership
from cars_bot.schedule import latest_slot, run_id
from cars_bot.settings import REDIS_PRIORITIES, settings

log = logging.getLogger(__name__)

# The program `celery` looks into the current folder for this module, and then no more. A worker needs more of it.
sys.path.append(str(Path(__file__).resolve().parent))

DEAD_LETTERS = Exchange("celery.dead", type="fanout")
DEAD_LETTER_QUEUE = Queue("celery.dead", DEAD_LETTERS)
RECEIVED_AT = "received_at"  # the header in which a worker notes when it got a message, in seconds since 1970
OWNERS_QUEUE = "celery.kit"  # it is always empty, and says whose the others are (`cars_bot/processes/ownership.py`)
DEFAULTS = Policy()
LONGEST_JOB = max(job.policy.hard_time_limit for job in JOBS.values())
SECONDS_FOR_THE_BROKER = 3.0  # a confirm that has not come by then is unknown; the relay publishes again


def queues() -> list[Queue]:
    """The catalogue's queues, with what RabbitMQ has to know of them. Redis ignores the arguments."""
    declared = []
    for queue in QUEUES.values():
        arguments: dict[str, object] = {"x-queue-mode": "lazy"}  # a backlog waits on disk, as in RabbitMQ >= 3.12
        # feature: priorities
        arguments["x-max-priority"] = queue.max_priority
        # end
        # feature: dead letters with replay
        arguments["x-dead-letter-exchange"] = DEAD_LETTERS.name  # what a worker rejects, and what outlives its TTL
        # end
        # feature: message TTL
        if queue.message_ttl is not None:
            arguments["x-message-ttl"] = int(queue.message_ttl * 1000)
        # end
        declared.append(Queue(queue.name, Exchange("cars_bot", type="direct"), queue.name, queue_arguments=arguments))
    return declared


def transport_options() -> dict[str, object]:
    """What the broker's transport is told."""
    if settings().celery_over_redis:
        over_redis.time = clock.now  # by which it tells what has been with a worker for too long
        return {
            # Redis does not notice that a worker has died. What is unacknowledged after this long is handed out again,
            # finished or not, so it must be longer than any job may run. A countdown that is longer makes a copy.
            "visibility_timeout": LONGEST_JOB * 2,
            # A list for each priority, all of them read in this order, whichever queue they belong to.
            "priority_steps": list(REDIS_PRIORITIES),
            "queue_order_strategy": "round_robin",  # among queues whose first messages have the same priority
            "socket_timeout": SECONDS_FOR_THE_BROKER,
            "socket_connect_timeout": SECONDS_FOR_THE_BROKER,
        }
    # What the broker's URL asks for, as the other lane hears it too.
    asked = for_celery.broker_options(settings())
    patience = asked.get("blocked_connection_timeout", SECONDS_FOR_THE_BROKER)
    return {
        # Without confirms a publish "succeeds" into a dead connection and the message is gone. With them, but without
        # the timeouts, it waits for ever when the broker raises a memory alarm.
        # feature: confirmed, mandatory publishing
        "confirm_publish": True,
        # end
        "connect_timeout": asked.get("socket_timeout", SECONDS_FOR_THE_BROKER),
        "read_timeout": patience,
        "write_timeout": patience,
    }


os.environ.pop("CELERY_BROKER_URL", None)  # Celery would prefer it to the setting, in which `redis://` is understood
celery_app = app = Celery("cars_bot", include=["celery_tasks"])
app.user_options["worker"].add(
    CeleryOption(
        ["--report-to"],
        metavar="URL",
        is_flag=False,
        flag_value=settings().api_url,
        help="This worker has no database: report to the API there over HTTP (default: API_URL).",
    )
)
app.now = lambda: datetime.fromtimestamp(clock.now(), app.timezone)  # by the clock that all processes share
app.conf.update(
    **for_celery.connection(settings()),  # the broker's address, and how TLS is checked
    broker_transport_options=transport_options(),
    broker_connection_retry_on_startup=True,  # a worker that starts before its broker waits for it
    broker_connection_max_retries=None,  # and one that loses it never gives up
    # Seconds; a dead peer is noticed within two of them.
    broker_heartbeat=for_celery.broker_options(settings()).get("heartbeat", 20),
    broker_channel_error_retry=True,  # nor one whose channel the broker closed: a message held for too long
    # JSON only, in and out: unpickling a message is running a stranger's code.
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    worker_consumer="celery_intake:CarefulConsumer",  # what cannot be read becomes a dead letter
    # Queues: one for each kind of work, so that a slow kind cannot hold up the others.
    task_queues=queues(),
    # feature: routing to queues
    task_routes={job.name: {"queue": job.queue.name} for job in JOBS.values()},
    # end
    task_default_queue="default",
    task_default_exchange="cars_bot",
    task_default_routing_key="default",
    task_create_missing_queues=False,  # a misspelt queue is an error, not a new queue nobody reads
    # Acknowledge after the work. Early acknowledgement, the default, loses the job when its worker is killed.
    # feature: ack after the outcome is durable
    task_acks_late=True,
    # end
    # feature: lost-child handling
    task_reject_on_worker_lost=True,  # without it a killed child's message is acknowledged all the same
    # end
    # feature: dead letters with replay
    task_acks_on_failure_or_timeout=False,  # a failed run's message is rejected, so it lands among the dead letters
    # end
    # Redis has no dead letters: there a rejected message is gone, and only the run's row says what became of it.
    task_default_priority=max(REDIS_PRIORITIES) if settings().celery_over_redis else None,  # unless told: last
    # feature: prefetch
    worker_prefetch_multiplier=1,  # always more, and a worker hoards low priorities and keeps them from idle workers
    # end
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the outcome is in the database; a late ack is harmless
    # Limits. The soft one raises inside the job, the hard one kills the child.
    task_soft_time_limit=DEFAULTS.soft_time_limit,
    task_time_limit=DEFAULTS.hard_time_limit,
    # A leak in a job or its libraries ends with the child. Replacing one is dear: stock Celery did 600 no-op jobs a
    # second instead of 3,800 when it replaced its children after every 100.
    # feature: recycling children
    worker_max_tasks_per_child=settings().jobs_per_child,
    # end
    # Results: `.get()` works for tasks sent by hand. The kit itself reads them from the database.
    # feature: results
    result_backend=for_celery.result_backend(settings()),
    # end
    result_expires=86_400,
    redis_socket_timeout=2.0,
    redis_socket_connect_timeout=2.0,
    # Redis away must not hold a worker: the outcome is in the database by then.
    result_backend_transport_options={
        "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
    },
    task_store_errors_even_if_ignored=False,
    worker_send_task_events=False,  # Flower switches them on when it is there
    enable_utc=True,
    timezone="UTC",
    # Beat only says when; the work is done by a worker, with its retries and limits.
    # feature: schedule
    beat_schedule={
        name: {"task": tick.job, "schedule": schedule(tick.every) if tick.every else crontab.from_string(tick.crontab)}
        for name, tick in SCHEDULE.items()
    },
    beat_scheduler="celery_app:OneRunPerSlot",
    beat_max_loop_interval=5,  # seconds; a clock that was set is noticed at the next look
    # end
)


# feature: schedule
class OneRunPerSlot(Scheduler):
    """Beat, but for the ids and the memory.

    Each id is made from the task's slot. What a second Beat sends is a copy, and recognised: two Beats may run, and the
    schedule goes on when one of them dies.

    The database knows up to when there was a Beat. Celery's own keeps that in a file. Two Beats destroy it for each
    other, and when a clock was ahead, it says "tomorrow", and Beat is silent until then.
    """

    def setup_schedule(self) -> None:
        """Read the schedule. A Beat that was away sends the latest slot that it missed; the first one ever, none."""
        since = self._hold()
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = since or entry.default_now()
        self.latest = self.app.now()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return after how many seconds to look again."""
        self._hold()
        now = self.app.now()
        if now < self.latest:  # the clock was set back
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at, now)
            self._heap = None  # it says when to look at each entry: then, by the clock as it was
        self.latest = now
        return float(super().tick(*args, **kwargs))

    def _hold(self) -> datetime | None:
        """Say in the database that there is a Beat; return up to when there was one. All of them are one holder."""
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
        if tick and (slot := latest_slot(tick, entry.default_now().timestamp())) is not None:
            entry = copy.copy(entry)
            entry.options = {**entry.options, "task_id": run_id("celery", entry.name, slot)}
        return super().apply_async(entry, *args, **kwargs)


# end
def claim(connection: Connection) -> None:
    """Say that the lane is this kit's.

    Raises:
        NotConfigured: it is another kit's; the message says what to do.
        StorageUnavailable: the database, where this kit's name stands, does not answer.
    """
    if settings().celery_over_redis:
        ownership.claim_on_redis(settings().celery_broker_url)
        return
    if not (name := ownership.kit_name()):
        return
    try:
        with connection.channel() as channel:
            mark = ownership.mark(name, DEAD_LETTERS.name)
            channel.queue_declare(OWNERS_QUEUE, durable=True, auto_delete=False, arguments=mark)
    except PreconditionFailed as refusal:
        if owner := ownership.owner_in(str(refusal)):
            raise NotConfigured(ownership.in_words(settings().celery_broker_url, owner)) from refusal
        raise


class DeadLetterQueue(bootsteps.StartStopStep):
    """Declares the dead letters' exchange and queue at every connect: nobody consumes them, so Celery would not."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: object) -> None:
        """Called by the worker when its consumer has a connection. Redis has no such thing, and nothing to declare."""
        if not settings().celery_over_redis:
            DEAD_LETTER_QUEUE.bind(parent.connection.default_channel).declare()  # type: ignore[attr-defined]


app.steps["consumer"].add(DeadLetterQueue)
# feature: prefetch
app.steps["consumer"].add("celery_prefetch:ReadAhead")  # a few messages more while jobs are short
# end


@worker_init.connect
@beat_init.connect
def need_the_database(**_: object) -> None:
    """A worker whose database cannot be made says so and ends before it takes a message."""
    startup.need_folder()


# feature: structured logs with the run id
LOG_FORMAT = 'time=%(asctime)s level=%(levelname)s run=%(task_id)s logger=%(name)s message="%(message)s"'


class OneLineFormatter(TaskFormatter):
    """A line for each event: what a job says can neither end it nor begin another. A traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        record = copy.copy(record)  # another handler may want it as it was
        record.msg, record.args = escaped(record.getMessage()).replace('"', "'"), ()
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        """Return the traceback, so that no line of it looks like one of the log."""
        return indented(super().formatException(ei))


@after_setup_logger.connect
def name_the_run(logger: logging.Logger, **_: object) -> None:
    """Have every line that is logged while a task runs carry its id, which is the run's."""
    for handler in logger.handlers:
        handler.setFormatter(OneLineFormatter(LOG_FORMAT, use_color=False))


# end


@celeryd_init.connect
def be_called_differently(sender: str, instance: Any, **_: object) -> None:
    """Give a worker that was started without a name (`-n`) one of its own.

    Each has a mailbox of its name in the broker, and the broker gives it to one connection alone: the second worker
    of a name would end with ResourceLocked.
    """
    if sender == default_nodename(None):
        instance.hostname = default_nodename(f"celery-{os.getpid()}@%h")
