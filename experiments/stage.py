"""Stage: one experiment's own place, with everything that the experiment does and sees there."""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
import redis
from celery import Celery
from pika.adapters.blocking_connection import BlockingChannel

from commands.common.state import end_marked
from experiments import evidence
from experiments.processes import Group, python
from experiments.queues import Queues
from experiments.record import Record
from experiments.servers import Servers

PATIENCE = 20.0  # seconds; an event that takes longer counts as not happening


class DidNotHappen(AssertionError):
    """An experiment waited for an event that did not come. The message names it and the events that came instead."""


class Stage(Queues, Record):
    """One experiment's own place, with its queues and its record. Its processes find these variables:

    BROKER_URL  REDIS_URL  RMQ_URL  EVIDENCE  TELEGRAM  CHANNEL  DATABASE (a file for SQLite)
    """

    def __init__(self, servers: Servers, vhost: str, broker: str, database: int) -> None:
        self.folder = servers.folder / vhost
        self.folder.mkdir()
        Record.__init__(self, self.folder / "evidence.jsonl")
        self.channel = f"@{vhost.replace('-', '_')}"
        self.token = f"1:{vhost}"  # a bot of its own: its faults meet no other experiment
        self.amqp_url = servers.values["RMQ_URL"].rstrip("/") + f"/{vhost}"
        self.redis_url = servers.values["REDIS_URL"].rpartition("/")[0] + f"/{database}"
        broker_url = self.amqp_url if broker == "rabbitmq" else self.redis_url
        super().__init__(servers, vhost, broker, broker_url, redis.Redis.from_url(self.redis_url))
        self.redis.flushdb()
        self.environment = servers.environment | {
            "BROKER_URL": self.broker_url,
            "RMQ_URL": self.amqp_url,
            "REDIS_URL": self.redis_url,
            "TELEGRAM": f"{servers.values['OUTSIDE_WORLD_URL']}/telegram/bot{self.token}",
            "CHANNEL": self.channel,
            "DATABASE": str(self.folder / "database.sqlite3"),
            evidence.VARIABLE: str(self.evidence),
        }
        self.groups: list[Group] = []
        self.client = Celery(broker=self.broker_url, backend=self.redis_url, set_as_current=False)
        self.client.conf.update(broker_transport_options={"confirm_publish": True}, task_create_missing_queues=True)

    def clear(self) -> None:
        """Kill the processes that still run, and close the connections."""
        for group in self.groups:
            group.kill()
        end_marked(f"{evidence.VARIABLE}={self.evidence}", grace=0)  # processes that have left their group
        self.client.close()
        self.close()
        self.redis.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------ doing

    def start(self, *words: str, **environment: str) -> Group:
        """Start a program in a process group of its own."""
        group = Group(list(words), self.environment | environment, self.folder / f"log-{len(self.groups)}")
        self.groups.append(group)
        return group

    def celery(
        self, module: str, *words: str, pool: str = "threads", concurrency: int = 1, **environment: str
    ) -> Group:
        """Start a Celery worker for the module's `app`; return when it consumes.

        Args:
            words: further arguments of the worker, such as ("-Q", "publishing").
            pool: prefork if children are killed or limits matter; threads start sooner.
            environment: further variables for the worker.
        """
        command = self.worker_words(module, *words, pool=pool, concurrency=concurrency)
        return self._started("worker", command, environment)

    def beat(self, module: str) -> Group:
        """Start a Celery Beat for the module's `app`; return when it ticks."""
        return self._started("beat", self.beat_words(module), {})

    def by_hand(self, module: str) -> Group:
        """Start a consumer written by hand; return when it has noted that it is ready."""
        return self._started("worker", python("-m", module), {})

    def publish(self, queue: str, body: str) -> None:
        """Put a message into an existing queue, confirmed by the broker."""
        self.note("sent", queue=queue, body=body[:20])
        with self.pika() as channel:
            channel.basic_publish("", queue, body.encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)

    @contextmanager
    def pika(self) -> Iterator[BlockingChannel]:
        """Open a channel to RabbitMQ with confirms, and close it when the block ends."""
        connection = pika.BlockingConnection(pika.URLParameters(self.amqp_url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            connection.close()

    def worker_words(self, module: str, *words: str, pool: str, concurrency: int) -> list[str]:
        """Return the command line of a Celery worker for the module's `app`."""
        options = ["--loglevel", "info", "--without-gossip", "--without-mingle", "-n", f"worker{len(self.groups)}"]
        options += ["-P", pool, "-c", str(concurrency), *words]
        return python("-m", "experiments.celery_program", module, "worker", *options)

    def beat_words(self, module: str) -> list[str]:
        """Return the command line of a Celery Beat for the module's `app`."""
        file = self.folder / f"schedule-{len(self.groups)}"
        options = ["--schedule", str(file), "--pidfile", "", "--loglevel", "info"]
        return python("-m", "experiments.celery_program", module, "beat", *options)

    def _started(self, kind: str, words: list[str], environment: dict[str, str]) -> Group:
        before = self.count(f"{kind} ready")
        program = self.start(*words, **environment)
        self.until(lambda: self.count(f"{kind} ready") > before or not program.is_alive(), f"the {kind} is ready")
        if not program.is_alive():
            raise DidNotHappen(f"the {kind} ended at once:\n{program.output()[-2000:]}")
        return program

    def run(self, module: str, *words: str) -> None:
        """Run a module to its end; its exit code must be 0."""
        program = self.start(*python("-m", module, *words))
        self.until(lambda: not program.is_alive(), f"{module} ends", PATIENCE * 2)
        if code := program.process.returncode:
            raise DidNotHappen(f"{module} ended {code}:\n{program.output()[-2000:]}")

    def send(self, task: str, *arguments: Any, queue: str = "celery", **options: Any) -> str:
        """Send a task by its name, confirmed by the broker, and return its id."""
        task_id = str(uuid.uuid4())
        self.note("sent", task=task, id=task_id, arguments=list(arguments))
        self.client.send_task(task, arguments, queue=queue, task_id=task_id, **options)
        return task_id

    def order_fault(self, fault: str, times: int, **options: Any) -> None:
        """Order a fault for the experiment's next `times` requests to the messenger: see `outside_world/faults.py`."""
        self.note("ordered a fault", fault=fault, times=times)
        wanted = {"service": "telegram", "fault": fault, "next": times, "only": f"/bot{self.token}/", **options}
        self.servers.world.post("/_control/faults", json=wanted).raise_for_status()

    def end_faults(self) -> None:
        """End all faults of the messenger, for every experiment on this ground."""
        self.note("ended the faults")
        self.servers.world.delete("/_control/faults").raise_for_status()

    def trace(self) -> None:
        """Make RabbitMQ report every message that is published or delivered: see `experiments/firehose.py`."""
        self.servers.trace(self.vhost)

    def kill(self, group: Group) -> None:
        """Kill a worker and its children with SIGKILL, and write it down."""
        self.note("SIGKILL", worker=group.pid)
        group.kill()

    # ------------------------------------------------------------ looking

    def posts(self) -> list[str]:
        """Return the texts in the experiment's channel, as the messenger has them: oldest first."""
        reply = self.servers.world.get("/_control/telegram/messages", params={"chat": self.channel})
        return [message["text"] for message in reply.raise_for_status().json()["messages"]]

    def until(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until `condition()` is true, and return its value.

        Raises:
            DidNotHappen: it was not true within `seconds`.
            KeyboardInterrupt: the wait was interrupted.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < seconds:
            if value := condition():
                return value
            self.servers.rest(min(max(0.02, waited / 20), 0.1))  # often at first, less often later: each look costs
        happened = ", ".join(each.what for each in self.notes()[-12:])
        raise DidNotHappen(f"after {seconds:.0f} s still not: {what}; what happened last: {happened or 'nothing'}")
