"""How many messages the Celery worker holds: one for each child, and a few more while jobs are short.

Celery fixes the number when a worker starts. With 1 for each child, a child that is done waits until the broker has
sent the next message: for a short job that is longer than the job. With 4, as Celery has it, a busy worker keeps
messages from idle ones, and low priorities go before high ones. So the number changes with the jobs here, as it does
on the other lane.

RabbitMQ 4 takes the number when a consumer begins, and no other later: there a worker holds 1 for each child and
queue, also while jobs are short.
"""

import time
from collections.abc import Iterable
from typing import Any

from celery import bootsteps
from celery.worker import state

from cars_bot.processes.pace import LONG, is_quick

LOOK_EVERY = 0.05  # seconds
READ_AHEAD = 3  # messages more for each child, while jobs are short
SHORT = 0.01  # seconds; three such jobs hold up the next one no longer than a person notices


# feature: prefetch
class ReadAhead(bootsteps.StartStopStep):
    """Looks at the jobs many times a second; it is part of Celery's consumer, and begins anew with each connection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    timer: Any = None

    def start(self, consumer: Any) -> None:
        """Called when messages are consumed."""
        if consumer.connection.transport.driver_type == "amqp" and not consumer.qos_global:
            return  # RabbitMQ 4, as kombu has found out
        self.more = 0  # messages that are held beyond one for each child
        self.begun, self.looked_at = _begun(), time.monotonic()
        self.timer = consumer.timer.call_repeatedly(LOOK_EVERY, self.look, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Called before the connection is closed, or when it is lost."""
        if self.timer:
            self.timer.cancel()

    def look(self, consumer: Any) -> None:
        """Hold as many messages as suits the jobs of the last moments, and the jobs in hand."""
        now, begun = time.monotonic(), _begun()
        children = consumer.pool.num_processes
        # Seconds for a job, its way from and to the broker included.
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
    """Have the broker hand out again what waits in this worker until a child is free."""
    while semaphore._waiting:  # kombu has no other way to ask; its version is pinned
        _begin, (request, *_), _named = semaphore._waiting.popleft()
        state.task_ready(request)
        request.reject(requeue=True)


def _begun() -> int:
    """How many tasks this worker has begun since it started."""
    return int(state.all_total_count[0])


def _has_long(active: Iterable[Any]) -> bool:
    since = time.time() - LONG  # Celery notes by this clock when a child has begun
    return any(request.time_start and request.time_start < since for request in active)


# end
