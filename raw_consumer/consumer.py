"""A child's work: take a message, run it, settle it. Follow `work()` from the top.

Two threads share the work. The connection's thread answers heartbeats during a job, receives messages and sends
acknowledgements (`intake.py`). The main thread runs the jobs one at a time, because an alarm interrupts no other
thread. Retries and dead letters are published over a second connection.
"""

import logging
import time

from cars_bot import ledger
from cars_bot.catalogue import job_named
from cars_bot.context import Delivery
from cars_bot.execution import execute
from cars_bot.outcome import Outcome
from cars_bot.processes.crash import crash_point
from cars_bot.run_store import DATABASE_STORE, ReadAheadStore, RunStore, put_aside
from raw_consumer import alarm, envelope
from raw_consumer.intake import Intake
from raw_consumer.publisher import Publisher
from raw_consumer.settlement import DeadLetter, Decision, RetryAfter, decide
from raw_consumer.setup import logs
from raw_consumer.shared_slot import Slot

log = logging.getLogger(__name__)

FORWARD_SECONDS = 10.0  # for one try to publish a retry or a dead letter


class Consumer:
    """Consumes queues until it is stopped, or until it has done `max_jobs` jobs (0: no such end)."""

    def __init__(self, rmq_url: str, queues: list[str], name: str, slot: Slot, max_jobs: int, store: RunStore) -> None:
        self.name, self.slot, self.max_jobs = name, slot, max_jobs
        self.publisher = Publisher(rmq_url, f"{name} publisher")
        self.intake = Intake(rmq_url, queues, name)
        self.store = ReadAheadStore(self.intake.following) if store is DATABASE_STORE else store

    def work(self) -> None:
        """Take message after message until the intake ends."""
        while (received := self.intake.take()) is not None:
            # feature: recycling children
            if self.slot.jobs_done + 1 == self.max_jobs:
                self.stop()
            # end
            decision = self._decide(received)
            self._carry_out(decision, received)
            self.intake.acknowledge(received)
        self.intake.close()
        self.publisher.close()

    def stop(self) -> None:
        """Finish the job in hand, give back all other messages, and end. A signal handler may call this."""
        self.intake.finish(at_once=True)

    def _decide(self, received: envelope.Received) -> Decision:
        # feature: poison-message limit
        redelivered = received.method.redelivered  # the last worker may have died of it: `execute` looks
        # end
        try:
            outcome = self._run(received.delivery())
        except Exception as error:  # any error: the message must not come for ever, nor end this process
            known = isinstance(error, envelope.UndecodableMessage)
            why = f"undecodable: {error}" if known else f"{type(error).__name__}: {error}"
            log.warning("message %s is put aside: %s", received.properties.message_id, why, exc_info=not known)
            outcome = put_aside(received.properties.message_id, "raw", why, self.name, self.store)
        return decide(outcome, redelivered)

    # feature: registration and dispatch
    def _run(self, delivery: Delivery) -> Outcome:
        logs.current_run, began = delivery.run_id, time.monotonic()
        with alarm.limited(self.slot, delivery, job_named(delivery.job).policy):
            outcome = execute(delivery, worker=self.name, store=self.store)
        took, why = time.monotonic() - began, getattr(outcome, "error", getattr(outcome, "why", ""))[:200]
        log.info("%s: %s in %.3f s %s", delivery.job, type(outcome).__name__, took, why)
        logs.current_run = ""
        return outcome

    # end

    def _carry_out(self, decision: Decision, received: envelope.Received) -> None:
        properties, body, queue = received.properties, received.body, received.queue
        match decision:
            # feature: retries with backoff and jitter
            case RetryAfter(seconds):
                self._forward(envelope.retry(properties, body, queue, seconds), received)
            # end
            case DeadLetter(reason):
                self._forward(envelope.dead_letter(properties, body, queue, reason), received)
                ledger.record("dead-lettered", str(properties.message_id), "raw", worker=self.name, detail=reason)

    def _forward(self, message: envelope.Message, received: envelope.Received) -> None:
        """Publish and wait for the confirm. The original is acknowledged after it; a death in between makes a copy."""
        while not self.publisher.send([message], FORWARD_SECONDS)[0]:
            if not self.intake.is_current(received):
                return  # the broker has the original again and drops our acknowledgement
        crash_point("after-retry-publish")
