"""Differences between two comparisons: the conditions under which they ran, in words, where they are not the same."""

import json
from collections import Counter
from typing import Any, NamedTuple

from cars_bot.comparisons.for_people.command_line import grouped
from cars_bot.comparisons.for_people.condition_text import plain, written
from cars_bot.comparisons.request import Arrivals, ComparisonRequest, WantedJob

LONGEST = 300  # characters of a value
NONE = "–"


class Conditions(NamedTuple):
    """The conditions of an ended comparison. `environment` is that of its record."""

    request: ComparisonRequest
    stopped: bool  # a person ended it
    environment: dict[str, Any]


def differences(first: Conditions, second: Conditions) -> list[tuple[str, str, str]]:
    """Return (name, the first one's value, the second one's value) for each condition that is not the same."""
    a, b = _in_words(first), _in_words(second)
    pairs = ((name, a.get(name, NONE), b.get(name, NONE)) for name in {**a, **b})
    return [(name, _short(one), _short(other)) for name, one, other in pairs if one != other]


def _in_words(conditions: Conditions) -> dict[str, str]:
    ended = {"ended": "by a person" if conditions.stopped else "by itself"}
    return _of_request(conditions.request) | ended | _of_machine(conditions.environment)


def _of_request(request: ComparisonRequest) -> dict[str, str]:
    return {
        "lanes": ", ".join(request.lanes),
        "jobs": ", ".join(_job(job, times) for job, times in grouped(request.jobs)),
        "jobs on each lane": str(request.count),
        "arrivals": _arrivals(request.arrivals),
        "priorities": ", ".join(map(str, request.priorities)),
        "countdown": f"{plain(request.countdown)} s",
        "faults": ", ".join(map(written, request.conditions)) or NONE,
        "deadline": f"{plain(request.deadline)} s",
    }


def _job(job: WantedJob, times: int) -> str:
    args = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in job.args.items())
    return (f"{times} × " if times > 1 else "") + f"{job.job}({args})"


def _arrivals(arrivals: Arrivals) -> str:
    if arrivals.per_second is not None:
        return f"{plain(arrivals.per_second)} a second"
    if arrivals.burst is not None and arrivals.every is not None:
        return f"{arrivals.burst} every {plain(arrivals.every)} s"
    return "all at once"


def _of_machine(environment: dict[str, Any]) -> dict[str, str]:
    """Return the environment in words. Its moment and the numbers of processes say nothing and are left out."""
    workers = environment.get("workers", [])
    known = {
        "kit": environment.get("kit"),
        "machine": ", ".join(sorted({worker["host"] for worker in workers})),
        "system": environment.get("system"),
        "processor": environment.get("processor"),
        "processors": environment.get("processors"),
        "memory": environment.get("memory_bytes") and f"{environment['memory_bytes'] / 1e9:.1f} GB",
        "python": environment.get("python"),
        "database": environment.get("database"),
        "Celery's broker": environment.get("celery_broker"),
        **{f"workers of {lane}": number for lane, number in Counter(worker["lane"] for worker in workers).items()},
        **{f"server {name}": version for name, version in environment.get("brokers", {}).items()},
        **{f"package {name}": version for name, version in environment.get("packages", {}).items()},
    }
    return {name: str(value) for name, value in known.items() if value}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
