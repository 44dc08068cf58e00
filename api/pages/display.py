"""Display texts: the names of lanes, counters and charts, and numbers in a form that people read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from cars_bot.catalogue import JOBS
from cars_bot.comparisons.for_people.card import difference_text, duration, text
from cars_bot.processes import clock
from cars_bot.runs import Run


@dataclass(frozen=True)
class LaneText:
    """The texts of a lane on the page."""

    name: str
    short: str
    what: str


LANES = {
    "celery": LaneText(
        "Celery",
        "Celery",
        "A framework does the messaging: you declare a task, and Celery publishes, routes, retries and limits it.",
    ),
    "raw": LaneText(
        "RabbitMQ by hand",
        "RabbitMQ",
        "The same with pika alone: our own code declares queues, confirms, acknowledges, retries and limits.",
    ),
    "inline": LaneText(
        "Inline",
        "Inline",
        "No queue at all: the job runs inside the HTTP request, and the sender waits until it ends.",
    ),
}

COUNTERS = [
    ("waiting", "Waiting"),
    ("working", "Working"),
    ("retrying", "Retrying"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("dropped", "Dropped"),
]


@dataclass(frozen=True)
class ChartText:
    """The texts of a chart on the page."""

    id: str
    title: str
    unit: str
    note: str


CHARTS = [
    ChartText("rate", "Throughput", "runs ended per second", "To see it move, send debug_task 500 times."),
    ChartText("depth", "Queue depth", "messages waiting", "The inline lane has no queue: you wait yourself."),
]


def counters(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Return the runs per lane under the headings of the page. `static/page.js` does the same for every tick."""
    return {
        lane: {
            "waiting": of["PENDING"],
            "working": of["IN_PROGRESS"],
            "retrying": of["RETRYING"],
            "done": of["DONE"],
            "failed": of["FAILED"],
            "dropped": of["EXPIRED"] + of["REVOKED"],
        }
        for lane, of in counts.items()
    }


# ---------------------------------------------------------------- times, as in static/format.js


def age(at: float) -> str:
    """Return the time since `at`: `3 s`, `5 min`, `2 h`, `4 d`."""
    past = max(0.0, clock.now() - at)
    for limit, size, unit in ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h")):
        if past < limit:
            return f"{int(past // size)} {unit}"
    return f"{int(past // 86_400)} d"


def latency(run: Any) -> str:
    """Return the time from acceptance to the end, or a dash."""
    accepted, finished = (
        (run["accepted_at"], run["finished_at"]) if isinstance(run, dict) else (run.accepted_at, run.finished_at)
    )
    return "–" if finished is None else duration(finished - accepted)


def iso(at: float) -> str:
    """Return a moment in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def pretty(value: Any) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def code(text: str) -> Markup:
    """Return a text with `code` in it as HTML."""
    parts = text.split("`")
    return Markup("").join(escape(part) if n % 2 == 0 else Markup("<code>{}</code>").format(part)
                           for n, part in enumerate(parts))  # fmt: skip


FILTERS: dict[str, Callable[..., str]] = {
    "seconds": duration, "figure": text, "difference": difference_text,
    "age": age, "latency": latency, "iso": iso, "pretty": pretty, "code": code,
}  # fmt: skip


def policy(run: Run) -> list[tuple[str, str]]:
    """Return a run's policy as (name, text) pairs. Its job may have left the catalogue since."""
    listed = [("queue", f"{run.queue}, priority {run.priority}")]
    if (job := JOBS.get(run.job)) is None:
        return [*listed, ("job", "is no longer in the catalogue")]
    kept, rate = job.policy, job.policy.rate
    budget = (
        f"{rate.limit} in any {rate.window:.0f} s, per {rate.per or 'spreadsheet'}, all workers together"
        if rate
        else ""
    )
    return [
        *listed,
        ("attempts", f"{kept.max_attempts}, the first and {kept.max_retries} retries"),
        ("backoff", f"doubles from {kept.backoff_base:g} s up to {duration(kept.backoff_max)}, with jitter"),
        ("time limits", f"soft {duration(kept.soft_time_limit)}, hard {duration(kept.hard_time_limit)}"),
        ("worthless after", duration(job.queue.message_ttl) if job.queue.message_ttl else "never"),
        ("rate", budget or "not limited"),
    ]
