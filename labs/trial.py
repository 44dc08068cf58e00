"""Trial: the calls with which a check starts, feeds, breaks and watches a student's program. Both lanes share them."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import kombu
import pika

from experiments.evidence import Note
from experiments.firehose import Firehose
from experiments.ground import Ground
from experiments.processes import ROOT, Group, python
from experiments.stage import Stage
from labs.requirements import ProgramUnderTest

QUEUE = "posts"  # the queue in which the labs' jobs wait
EARLY = 1.0  # seconds after a job's beginning; an early acknowledgement is sent by then


class Trial(ProgramUnderTest):
    """One trial of a student's program, on a stage of its own.

    Attributes:
        lane: "celery" or "raw".
        ground: the servers, for a check that needs a second stage.
    """

    def __init__(self, stage: Stage, lane: str, program: Path, ground: Ground) -> None:
        super().__init__(stage, program)
        self.lane, self.ground = lane, ground
        self._firehose: Firehose | None = None
        stage.environment["PYTHONPATH"] = f"{program.parent}:{ROOT}"

    # ------------------------------------------------------------ doing

    def worker(self, *words: str, pool: str = "threads", concurrency: int = 1, **environment: str) -> Group:
        """Start the program as a worker. Return when the broker has registered its consumer.

        Args:
            words: more arguments for the Celery worker.
            pool: Celery's pool. Use prefork if children are killed or limits matter; threads start sooner.
            environment: more environment variables for the worker.
        """
        fewest = self.consumers()  # the broker may still count a worker that was killed a moment ago

        def one_more() -> bool:
            nonlocal fewest
            now = self.consumers()
            fewest = min(fewest, now)
            return now > fewest

        if self.lane == "celery":
            command = self.stage.worker_words(self.program.stem, *words, pool=pool, concurrency=concurrency)
        else:
            command = python(str(self.program))
        group = self.stage.start(*command, **environment)
        self.stage.note("started a worker", worker=group.pid)
        self.until(
            lambda: one_more() or not group.is_alive(),
            f"a worker consumes the queue {QUEUE!r}",
            mistake=f"Nobody consumes the queue {QUEUE!r}",
            look="the queue's name in your program",
        )
        self.require_alive(group)
        return group

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of the program in a new process, and return its result.

        Arguments and result travel as JSON. An exception in the function ends the trial.
        """
        return self.end_call(self.begin_call(function, *arguments))

    def begin_call(self, function: str, *arguments: Any) -> Group:
        """Start such a call and return at once. The check can then watch or kill it."""
        return self.stage.start(*python("-m", "labs.calling", self.program.stem, function, json.dumps(arguments)))

    def end_call(self, call: Group) -> Any:
        """Wait until a call ends that `begin_call` started, and return its result."""
        function = call.words[-2]
        self.until(lambda: not call.is_alive(), f"{function}() returns", mistake=f"{function}() never returns")
        self.require_alive(call)
        found: Any = json.loads(call.output().splitlines()[-1])
        return found

    def scheduler(self) -> Group:
        """Start the program as a scheduler, and return when it has noted "beat ready".

        On Celery this starts the app's Beat. By hand it runs the program with the argument "beat".
        """
        before = self.stage.count("beat ready")
        if self.lane == "celery":
            command = self.stage.beat_words(self.program.stem)
        else:
            command = python(str(self.program), "beat")
        group = self.stage.start(*command)
        self.stage.note("started a scheduler", scheduler=group.pid)
        self.until(
            lambda: self.stage.count("beat ready") > before or not group.is_alive(),
            "a scheduler runs",
            mistake="The scheduler does not start",
            look="what the program does as a scheduler",
        )
        self.require_alive(group)
        return group

    def send(self, job: str, *, priority: int | None = None, message_id: str = "", **arguments: Any) -> str:
        """Send a job in its lane's format, wait for the broker's confirm, and return the message's id."""
        message_id = message_id or str(uuid.uuid4())
        self.stage.note("sent", job=job, id=message_id, arguments=arguments)
        if self.lane == "celery":
            self.stage.client.send_task(
                job, kwargs=arguments, task_id=message_id, queue=kombu.Queue(QUEUE), exchange="", routing_key=QUEUE,
                priority=priority, declare=[],
            )  # fmt: skip
            return message_id
        properties = pika.BasicProperties(
            message_id=message_id, type=job, content_type="application/json", delivery_mode=2, priority=priority
        )
        with self.stage.pika() as channel:
            channel.basic_publish("", QUEUE, json.dumps(arguments).encode(), properties, mandatory=True)
        return message_id

    def kill(self, group: Group) -> None:
        """SIGKILL a worker and its children."""
        self.stage.kill(group)

    def supervise(self, group: Group) -> Group:
        """Act as a supervisor: start a program again if it has ended for any reason. Return the running one."""
        if group.is_alive():
            return group
        again = self.stage.start(*group.words)
        self.stage.note("started a worker", worker=again.pid)
        return again

    def watch_the_broker(self) -> None:
        """Record the broker's own reports of its deliveries in the evidence from now on."""
        self.stage.trace()
        self._firehose = Firehose(self.stage.amqp_url, self.stage.note)
        self._firehose.start()

    def close(self) -> None:
        """Stop listening to the broker."""
        if self._firehose:
            self._firehose.stop()

    def until_held(self, where: str | None, claim: str, **words: Any) -> None:
        """Require that a job holds at the place `where` (None: anywhere). `words`: as in `until`."""
        place = {} if where is None else {"where": where}
        self.until(lambda: self.stage.count("holds", **place), claim, **words)

    def let_early_acknowledgement_pass(self, where: str) -> None:
        """Wait until a worker that acknowledges before the work has done so.

        Celery sends an early acknowledgement a moment after the job's beginning. A worker that is killed or stopped
        before that would look as if it acknowledged late.
        """
        (holding,) = self.stage.notes("holds", where=where)
        self.stage.until(lambda: time.time() - holding.at > EARLY, "an early acknowledgement has had its time")

    # ------------------------------------------------------------ looking

    def consumers(self, queue: str = QUEUE) -> int:
        """Return the number of consumers that the broker counts for a queue."""
        return self.stage.consumers(queue)

    def times(self, what: str, **facts: Any) -> list[float]:
        """Return the times of such events, in seconds since the first of all events."""
        notes = self.stage.notes()
        return [note.at - notes[0].at for note in self.stage.notes(what, **facts)]

    def deliveries(self, message_id: str) -> list[Note]:
        """Return the deliveries of a message so far. Call `watch_the_broker` first."""
        return self.stage.notes("delivered", id=message_id)


def in_words(times: list[float]) -> str:
    """Times as text: 0.31 s, 1.35 s, 3.40 s."""
    return ", ".join(f"{time:.2f} s" for time in times) or "never"


def often(count: int) -> str:
    """A count as text: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
