"""What a check does with a student's program: start it, feed it, break it, look. The same words for both lanes."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kombu
import pika

from experiments.evidence import Note
from experiments.firehose import Firehose
from experiments.ground import Ground
from experiments.processes import ROOT, Group, python
from experiments.stage import DidNotHappen, Stage

QUEUE = "posts"  # where the labs' jobs wait
PATIENCE = 20.0  # seconds that anything may take before it counts as not happening


@dataclass(frozen=True)
class Requirement:
    """Something that has to be so, and how it turned out."""

    claim: str
    holds: bool
    mistake: str = ""
    happened: str = ""
    look: str = ""


class Invalid(Exception):
    """A requirement does not hold; the trial is over."""


class Trial:
    """One student's program on a stage of its own.

    Attributes:
        lane: "celery" or "raw".
        program: the student's file.
        ground: for one that needs a second stage.
        requirements: those tried so far.
    """

    def __init__(self, stage: Stage, lane: str, program: Path, ground: Ground) -> None:
        self.stage, self.lane, self.program, self.ground = stage, lane, program, ground
        self.requirements: list[Requirement] = []
        self._firehose: Firehose | None = None
        stage.environment["PYTHONPATH"] = f"{program.parent}:{ROOT}"

    # ------------------------------------------------------------ judging

    def require(self, claim: str, holds: object, *, mistake: str, happened: object = "", look: str = "") -> None:
        """Note that `claim` holds, or end the trial.

        Args:
            claim: what is expected: "a refused post is asked for once".
            mistake: what whoever breaks this has done: "it retries what can never succeed".
            happened: what was seen instead.
            look: where the student is to look.

        Raises:
            Invalid: it does not hold.
        """
        self.requirements.append(Requirement(claim, bool(holds), mistake, str(happened), look))
        if not holds:
            raise Invalid

    def until(self, condition: Callable[[], Any], claim: str, *, seconds: float = PATIENCE, **words: Any) -> Any:
        """Require that `condition()` becomes true within `seconds`, and return what it gave. `words`: as in `require`.

        A worker that ended by itself meanwhile is what is reported, if there is one.
        """
        try:
            value = self.stage.until(condition, claim, seconds)
        except DidNotHappen as error:
            for group in self.stage.groups:
                self._require_alive(group)
            happened = words.pop("happened", "") or str(error).partition("; ")[2]
            self.require(claim, False, happened=happened() if callable(happened) else happened, **words)
        self.require(claim, True, mistake="")
        return value

    # ------------------------------------------------------------ doing

    def worker(self, *words: str, pool: str = "threads", concurrency: int = 1, **environment: str) -> Group:
        """Start the program as a worker, and return when the broker knows that it consumes.

        Args:
            words: more of the Celery worker's arguments.
            pool: of Celery; prefork where children are killed or limits matter, threads are up sooner.
            environment: what else it is to find there.
        """
        fewest = self.consumers()  # a worker that was killed a moment ago may still be among them

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
        self._require_alive(group)
        return group

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of the program in a process of its own; return what it returned.

        Arguments and result travel as JSON. An exception ends the trial.
        """
        return self.end_call(self.begin_call(function, *arguments))

    def begin_call(self, function: str, *arguments: Any) -> Group:
        """Start such a call, to look or to kill while it is under way."""
        return self.stage.start(*python("-m", "labs.calling", self.program.stem, function, json.dumps(arguments)))

    def end_call(self, call: Group) -> Any:
        """Wait for a call that was begun, and return what it returned."""
        function = call.words[-2]
        self.until(lambda: not call.is_alive(), f"{function}() returns", mistake=f"{function}() never returns")
        self._require_alive(call)
        found: Any = json.loads(call.output().splitlines()[-1])
        return found

    def scheduler(self) -> Group:
        """Start the program as a scheduler, and return when it has noted "beat ready".

        Of Celery it is the app's Beat; by hand the program is given the argument "beat".
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
        self._require_alive(group)
        return group

    def send(self, job: str, *, priority: int | None = None, message_id: str = "", **arguments: Any) -> str:
        """Send a job as its lane does, confirmed by the broker; return the message's id."""
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
        """What a supervisor does: start a program anew if it has ended, whyever. Return what runs now."""
        if group.is_alive():
            return group
        again = self.stage.start(*group.words)
        self.stage.note("started a worker", worker=again.pid)
        return again

    def watch_the_broker(self) -> None:
        """From here on, the broker's own account of what it hands out is in the evidence."""
        self.stage.trace()
        self._firehose = Firehose(self.stage.amqp_url, self.stage.note)
        self._firehose.start()

    def close(self) -> None:
        """Let go."""
        if self._firehose:
            self._firehose.stop()

    # ------------------------------------------------------------ looking

    def consumers(self, queue: str = QUEUE) -> int:
        """How many consumers the broker has for a queue."""
        return self.stage.consumers(queue)

    def times(self, what: str, **facts: Any) -> list[float]:
        """When such events happened, in seconds since the first of all events."""
        notes = self.stage.notes()
        return [note.at - notes[0].at for note in self.stage.notes(what, **facts)]

    def deliveries(self, message_id: str) -> list[Note]:
        """How often the broker handed a message out; needs `watch_the_broker`."""
        return self.stage.notes("delivered", id=message_id)

    def _require_alive(self, group: Group) -> None:
        if group.is_alive() or group.process.returncode in (0, -9, -15):
            return
        reason, where = last_error(group.output(), self.program)
        self.require(
            "the program runs", False, mistake="Your program ended by itself",
            happened=reason or f"exit code {group.process.returncode}", look=where,
        )  # fmt: skip


def last_error(output: str, program: Path) -> tuple[str, str]:
    """The last exception in what a program printed, and the last line of the student's file that it came through."""
    trace = output.rpartition("Traceback (most recent call last):")[2]
    reason = next((line for line in trace.splitlines() if line[:1].strip()), "")
    places = re.findall(rf'File "{re.escape(str(program))}", line (\d+)', trace)
    return reason, f"{program.name}, line {places[-1]}" if places else ""


def in_words(times: list[float]) -> str:
    """0.31 s, 1.35 s, 3.40 s."""
    return ", ".join(f"{time:.2f} s" for time in times) or "never"


def often(count: int) -> str:
    """once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
