"""Command line of a comparison: the `./kit compare …` for a request. `commands/compare.py` reads it again."""

import json
import shlex
from collections.abc import Iterator
from itertools import groupby

from cars_bot.comparisons.for_people.condition_text import plain, written
from cars_bot.comparisons.request import Arrivals, ComparisonRequest, WantedJob

LONGEST_WORD = 100_000  # bytes; Linux refuses a word of 128 KiB
_USUAL = ComparisonRequest()


def command(request: ComparisonRequest) -> str | None:
    """Return the command, ready for a shell, or None if a shell cannot pass on its longest word."""
    words = ["./kit", "compare", *_options(request)]
    return None if any(len(word.encode()) > LONGEST_WORD for word in words) else shlex.join(words)


def grouped(jobs: list[WantedJob]) -> list[tuple[WantedJob, int]]:
    """Return the jobs of a mix, and how many times each stands there in a row."""
    return [(job, len(list(same))) for job, same in groupby(jobs)]


def _options(request: ComparisonRequest) -> Iterator[str]:
    """Yield the words for all that differs from the usual comparison."""
    if request.name != _USUAL.name:
        yield from _option("name", request.name)
    if request.lanes != _USUAL.lanes:
        yield from ("--lanes", *request.lanes)
    if request.jobs != _USUAL.jobs:
        yield from _jobs(grouped(request.jobs))
    if request.count != _USUAL.count:
        yield from _option("count", str(request.count))
    yield from _arrivals(request.arrivals)
    if request.priorities != _USUAL.priorities:
        yield from _option("priorities", ",".join(map(str, request.priorities)))
    if request.countdown != _USUAL.countdown:
        yield from _option("countdown", plain(request.countdown))
    for condition in request.conditions:
        yield from _option("at", written(condition))
    if request.deadline != _USUAL.deadline:
        yield from _option("timeout", plain(request.deadline))


def _option(name: str, value: str) -> list[str]:
    """Return an option and its value. One that begins with "-" would look like the next option."""
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def _jobs(mix: list[tuple[WantedJob, int]]) -> Iterator[str]:
    with_args, with_times = any(job.args for job, _ in mix), any(times > 1 for _, times in mix)
    for job, times in mix:
        yield from _option("job", job.job)
        if with_args:
            yield from _option("args", json.dumps(job.args, ensure_ascii=False))
        if with_times:
            yield from _option("times", str(times))


def _arrivals(arrivals: Arrivals) -> Iterator[str]:
    if arrivals.per_second is not None:
        yield from _option("rate", plain(arrivals.per_second))
    if arrivals.burst is not None and arrivals.every is not None:
        yield from _option("burst", str(arrivals.burst))
        yield from _option("every", plain(arrivals.every))
