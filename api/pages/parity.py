"""What Celery does for a job, and how the raw lane does the same by hand: the features, and the code of each.

A piece of code that makes a feature is marked where it stands, and can be found by anybody who searches for it:

    # feature: message TTL
    …
    # end

Whose it is, the file says: the files called `celery_…` are Celery's, `raw_consumer/` is the raw lane's, and
anything else serves both, unless the mark names the lane: `# feature: message TTL, celery`. Lines are counted without
comments and blank ones. What a lane has from its library for nothing has no lines; the words say so.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LANES = ("celery", "raw", "both")
CELERY = ("celery_app.py", "celery_intake.py", "celery_prefetch.py", "celery_tasks.py")
SOURCES = (*CELERY, "raw_consumer", "cars_bot", "api")
_OPENS = re.compile(r"\s*# feature: (?P<name>[^:]+?)(?:, (?P<lane>celery|raw))?$")
_ENDS = re.compile(r"\s*# end$")


@dataclass(frozen=True)
class Feature:
    """A row of the table: what each lane does, in a sentence each."""

    name: str
    celery: str
    raw: str


FEATURES = (
    Feature(
        "registration and dispatch",
        "`app.task` registers a function under its name; the worker looks the message's task up and calls it",
        "the message's `type` is looked up in the catalogue's table; `execute` calls the function",
    ),
    Feature(
        "JSON only, validated",
        "`accept_content` refuses a pickle unread; what Celery trusts without looking is checked first; "
        "arguments by the shared `Job.bind`",
        "content type, size, depth, id and job are checked before anything runs; arguments by the shared `Job.bind`",
    ),
    Feature(
        "routing to queues",
        "`task_queues` declares them, `task_routes` says which task goes where",
        "a direct exchange, bound to one queue per name",
    ),
    Feature(
        "ack after the outcome is durable",
        "`task_acks_late`: acknowledged when the task has returned",
        "the main thread hands the delivery tag to the connection's thread when the job's outcome is committed",
    ),
    Feature(
        "prefetch",
        "`worker_prefetch_multiplier` 1: with late acks a worker holds as many messages as it has children. While jobs"
        " are short, a step of Celery's consumer adds three a child; what is held is given back when a job is long",
        "one message a child and queue, a hundred while jobs are short; what is held is given back when a job is long",
    ),
    Feature(
        "confirmed, mandatory publishing",
        "`confirm_publish` with timeouts, and `mandatory`; one round trip a message",
        "confirms are pipelined; `mandatory`, so an unroutable message comes back and is not confirmed",
    ),
    Feature(
        "retries with backoff and jitter",
        "`self.retry(countdown=…)` publishes the task again; a long wait is left to the outbox",
        "the message is published into the delay queues, confirmed, then the original is acknowledged",
    ),
    Feature(
        "countdown/ETA",
        (
            "not Celery's `countdown=`, with which a worker takes the message and holds it in memory until it is due: "
            "the run waits in the outbox, and its message is published when it is due"
        ),
        "binary delay levels: 24 queues whose TTL dead-letters one level down; no worker holds the message",
    ),
    Feature(
        "priorities",
        "`x-max-priority` on the queue, `priority=` on the message; needs prefetch 1",
        "the same queue argument and message property; read-ahead ends as soon as jobs are long",
    ),
    Feature("message TTL", "`x-message-ttl` on the queue", "`x-message-ttl` on the queue"),
    Feature(
        "global rate limit",
        "not Celery's `rate_limit`, which is per worker: the shared sliding window in Redis",
        "the shared sliding window in Redis",
    ),
    Feature(
        "soft and hard time limits",
        "`soft_time_limit` raises in the child, `time_limit` kills it; the parent settles run and message",
        "an alarm raises in the child; the parent reads a slot of shared memory, records the outcome and kills",
    ),
    Feature(
        "lost-child handling",
        "`task_reject_on_worker_lost`: the message of a killed child goes back to the queue; its parent tells the row",
        "each child has its own connection, which ends with it: the broker hands the message out again by itself",
    ),
    Feature(
        "poison-message limit",
        (
            "`execute` counts the attempt in the run's row before it starts; a redelivered message whose run has ended "
            "is settled in the parent"
        ),
        "`execute` counts the attempt in the run's row before it starts",
    ),
    Feature(
        "dead letters with replay",
        "`x-dead-letter-exchange`; a failed task's message is rejected instead of acknowledged",
        "published to the dead-letter exchange with the reason in a header, confirmed, then acknowledged",
    ),
    Feature(
        "results",
        "the runs table, and a result backend for `.get()` on tasks sent by hand",
        "the runs table; `GET /api/runs/{id}?wait=30` is its `.get()`",
    ),
    Feature(
        "revoke",
        "the run's row is REVOKED and a broadcast terminates the child at it",
        "the run's row is REVOKED; the parent looks once a second and kills the child at it",
    ),
    Feature(
        "schedule",
        "Beat; an id made of schedule and slot, so that two Beats give one tick",
        "a scheduler: crontab lines, a leader's lease, an id made of schedule and slot",
    ),
    Feature(
        "workflow",
        "`chain(…)`: the message carries the steps that follow; the worker publishes the next",
        "the message carries the steps that follow; the next run is accepted in the outcome's transaction",
    ),
    Feature(
        "recycling children",
        "`worker_max_tasks_per_child`",
        "a child that has done its number takes no more and ends; the parent forks another",
    ),
    Feature(
        "warm and cold shutdown",
        "built in: SIGTERM finishes the tasks in hand, SIGQUIT or a second signal ends at once",
        "SIGTERM is passed on to the children, SIGQUIT or a second signal kills them",
    ),
    Feature(
        "reconnect",
        "built in; `broker_connection_max_retries` None, so that it never gives up",
        "a loop around the connection, with capped and jittered pauses",
    ),
    Feature(
        "inspect/status",
        "`control.inspect()` asks the workers by broadcast; Flower listens to their events",
        "every parent writes what its children do to Redis once a second",
    ),
    Feature(
        "structured logs with the run id",
        "`worker_task_log_format` with the task's id, which is the run's",
        "a formatter that adds the run in hand to every line",
    ),
)
BY_NAME = {feature.name: feature for feature in FEATURES}


@dataclass(frozen=True)
class Piece:
    """Marked code. `first` and `last` are the line numbers of its marks, from 1."""

    feature: str
    lane: str
    file: str
    first: int
    last: int
    code: str

    @property
    def lines(self) -> int:
        """Lines of code."""
        return lines_of_code(self.code)


def lines_of_code(source: str) -> int:
    """Lines without blank ones and comments; docstrings count."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in source.splitlines())


def rows() -> list[dict[str, Any]]:
    """Each feature with its pieces and their lines per lane, for the page."""
    found = pieces()
    table = []
    for feature in FEATURES:
        mine = {lane: [p for p in found if (p.feature, p.lane) == (feature.name, lane)] for lane in LANES}
        lines = {lane: sum(piece.lines for piece in part) for lane, part in mine.items()}
        slug = re.sub(r"\W+", "-", feature.name)
        table.append({"feature": feature, "slug": slug, "pieces": mine, "lines": lines})
    return table


def totals() -> dict[str, int]:
    """Lines of marked code per lane."""
    found = pieces()
    return {lane: sum(piece.lines for piece in found if piece.lane == lane) for lane in LANES}


def pieces(root: Path = ROOT) -> list[Piece]:
    """All marked code, in the order of `SOURCES`.

    Raises:
        ValueError: a mark is not closed, closes nothing, or names no feature.
    """
    files = [
        path
        for name in SOURCES
        for path in (sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name])
        if path != Path(__file__)
    ]
    return [piece for path in files for piece in _in_file(path, path.relative_to(root).as_posix())]


def _in_file(path: Path, name: str) -> Iterator[Piece]:
    opened: tuple[int, str, str] | None = None
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if mark := _OPENS.match(line):
            if opened or mark["name"] not in BY_NAME:
                raise ValueError(f"{name}:{number}: {line.strip()!r} is inside another, or no such feature")
            opened = number, mark["name"], mark["lane"] or _lane(name)
        elif _ENDS.match(line):
            if not opened:
                raise ValueError(f"{name}:{number}: an end without a beginning")
            first, feature, lane = opened
            opened = None
            yield Piece(feature, lane, name, first, number, textwrap.dedent("\n".join(lines[first : number - 1])))
    if opened:
        raise ValueError(f"{name}:{opened[0]}: {opened[1]!r} has no end")


def _lane(name: str) -> str:
    top = name.partition("/")[0]
    return "celery" if top.startswith("celery_") else "raw" if top == "raw_consumer" else "both"
