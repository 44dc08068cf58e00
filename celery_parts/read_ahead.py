"""Read-ahead of the Celery worker: it holds one message for each child, and a few more while jobs are short.

Celery fixes this number at a worker's start. With 1 message for each child, an idle child waits for the broker's next
message. For a short job, this wait is longer than the job. With Celery's default of 4, a busy worker keeps messages
from idle workers, and low priorities go before high ones. So the number changes with the jobs here, as on the raw lane.

RabbitMQ 4 accepts the number only when a consumer begins. There, a worker always holds 1 message for each child and
queue.
"""

import time
from collections.abc import Iterable
from typing import Any

from celery import bootsteps
from celery.worker import state

from cars_bot.processes.pace import LONG, is_quick

LOOK_EVERY = 0.05  # seconds
READ_AHEAD = 3  # additional messages for each child while jobs are short
SHORT = 0.01  # seconds; nobody notices that three such jobs hold up the next one


# feature: prefetch
class ReadAhead(bootsteps.StartStopStep):
    """Looks at the jobs many times a second. It is a part of Celery's consumer and starts again at each connect."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    timer: Any = None

    def start(self, consumer: Any) -> None:
        """Begin to look. Celery calls it when it consumes messages."""
        if consumer.connection.transport.driver_type == "amqp" and not consumer.qos_global:
            return  # this is RabbitMQ 4
        self.more = 0  # held messages beyond one for each child
        self.begun, self.looked_at = _begun(), time.monotonic()
        self.timer = consumer.timer.call_repeatedly(LOOK_EVERY, self.look, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Stop. Celery calls it before it closes the connection, and after it lost the connection."""
        if self.timer:
            self.timer.cancel()

    def look(self, consumer: Any) -> None:
        """Change the number of held messages, as the last jobs and the running jobs allow."""
        now, begun = time.monotonic(), _begun()
        children = consumer.pool.num_processes
        # Seconds for a job, with its way from and to the broker.
        pace = children * (now - self.looked_at) / max(begun - self.begun, 1)
        self.begun, self.looked_at = begun, now
        quick = is_quick(pace, self.more > 0, SHORT) and not _has_long(state.active_requests)
        more = children * READ_AHEAD if quick else 0
        if more > self.more:
            consumer.qos.increment_eventually(more - self.more)
        elif more < self.more:
            consumer.qos.decrement_eventually(self.more - more)
            give_back(consumer.controller.semaphore)
        self.more = more


def give_back(semaphore: Any) -> None:
    """Give the messages that wait for a free child in this worker back to the broker."""
    while semaphore._waiting:  # kombu offers no public way; its version is pinned
        _begin, (request, *_), _named = semaphore._waiting.popleft()
        state.task_ready(request)
        request.reject(requeue=True)


def _begun() -> int:
    """Return the number of tasks that this worker has begun since its start."""
    return int(state.all_total_count[0])


def _has_long(active: Iterable[Any]) -> bool:
    since = time.time() - LONG  # Celery stores a child's start by this clock
    return any(request.time_start and request.time_start < since for request in active)


# end
