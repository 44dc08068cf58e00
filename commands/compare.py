"""`kit compare`: send one batch of jobs down several lanes at the same moments, and lay the results side by side.

    ./kit compare                                        20 posts down both lanes
    ./kit compare --preset kill-worker                   one of a dozen comparisons that each teach one thing
    ./kit compare --presets                              the list of them
    ./kit compare --at 2s:kill-worker --job process_task --args '{"task_num": 1, "timeout": 0.5}' --count 40
    ./kit compare --lanes celery raw inline --rate 5 --json

Faults for --at: kill-worker, kill-child and freeze-worker concern each lane, or one lane as in 2s:kill-child:raw.
2s:scale:3 changes the number of workers. 2s:restart-broker and 2s:empty-redis concern the kit's servers. The others
concern the next calls to the outside world, as in 1s:error:8. They are rate-limit, error, hang and lose-reply.
The record is written to reports/comparisons/ID/. The exit code is 0 if no job was lost and no effect came twice.
"""

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

from commands.common import client
from commands.common.console import DONE, NO, USAGE, Problem, Progress, bar, say, table
from commands.submit import parse

PAUSE = 0.2  # seconds between two questions


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", metavar="NAME", help="a prepared comparison; --presets lists them")
    parser.add_argument("--presets", action="store_true", help="list the prepared comparisons")
    parser.add_argument("--name", default="Comparison", help="a name for the lists")
    parser.add_argument(
        "--job", default="process_post", metavar="JOB", help="name of a job or a workflow (process_post)"
    )
    parser.add_argument(
        "--args", default="{}", metavar="JSON", help="the job's arguments; without post_id: sample posts"
    )
    parser.add_argument("--count", type=int, default=20, metavar="N", help="jobs on each lane (20)")
    parser.add_argument("--lanes", nargs="+", choices=client.LANES, default=["celery", "raw"], help="celery raw")
    parser.add_argument("--rate", type=float, metavar="R", help="submit R jobs a second; without it all at once")
    parser.add_argument("--at", action="append", default=[], metavar="S:FAULT", help="a fault, such as 2s:kill-worker")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="S", help="seconds until it ends anyway (120)")
    parser.add_argument("--json", action="store_true", help="the whole result, as one JSON object")


def main(options: argparse.Namespace) -> int:
    presets = client.call("GET", "/api/comparisons/presets")["presets"]
    if options.presets:
        print(json.dumps(presets, indent=1) if options.json else listed(presets))
        return DONE
    comparison = client.call("POST", "/api/comparisons", wanted(options, presets))
    with Progress(comparison["request"]["name"]) as line:
        ended = follow(comparison, line)
    result = ended["result"]
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print(for_people(result))
        say(f"\nrecord: reports/comparisons/{ended['id']}/")
    flawless = all(not (lane["lost"] or lane["duplicated"]) for lane in result["lanes"].values())
    return DONE if flawless else NO


def listed(presets: dict[str, Any]) -> str:
    """Return the presets for people, each with its two sentences."""
    return "\n\n".join(
        f"{name}: {preset['request']['name']}\n  watch   {preset['watch']}\n  expect  {preset['expect']}"
        for name, preset in presets.items()
    )


def wanted(options: argparse.Namespace, presets: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the request.

    Raises:
        Problem: an argument has the wrong form.
    """
    from cars_bot.comparisons.request import Condition
    from cars_bot.errors import InvalidArguments

    if options.preset:
        if options.preset not in presets:
            raise Problem(f"no preset is called {options.preset!r}", "./kit compare --presets", code=USAGE)
        prepared: dict[str, Any] = presets[options.preset]["request"]
        return prepared
    try:
        conditions = [Condition.parsed(text).model_dump() for text in options.at]
    except InvalidArguments as error:
        raise Problem(f"--at {error}", "./kit compare --at 2s:kill-worker", code=USAGE) from error
    return {
        "name": options.name,
        "lanes": options.lanes,
        "jobs": [{"job": options.job, "args": parse(options.args)}],
        "count": options.count,
        "arrivals": {"per_second": options.rate},
        "conditions": conditions,
        "deadline": options.timeout,
    }


def follow(comparison: dict[str, Any], line: Progress) -> dict[str, Any]:
    """Wait until a comparison has ended and return it.

    Raises:
        Problem: it did not end long after its deadline, so the API does not carry it out.
    """
    request = comparison["request"]
    jobs, patience = request["count"] * len(request["lanes"]), 0.0
    while True:
        shown: dict[str, Any] = client.call("GET", f"/api/comparisons/{comparison['id']}")
        if shown["state"] == "ENDED":
            return shown
        if shown["state"] == "WAITING" or not patience:
            patience = time.monotonic() + request["deadline"] + client.PATIENCE
            line.update("an earlier comparison runs")
        else:
            line.update(f"{bar(shown['ended'], jobs)} {shown['ended']}/{jobs}")
        if time.monotonic() > patience:
            raise Problem("the comparison does not end", "./kit logs api")
        time.sleep(PAUSE)


def for_people(result: dict[str, Any]) -> str:
    """Return the card: the figures of each lane side by side, the faults, and the verdict."""
    from cars_bot.comparisons import card

    lanes = result["lanes"]
    rows: list[Sequence[Any]] = [
        (f"{name} {share}", *map(_seconds, values)) if share else (name, *values)
        for name, share, values in card.figures(result)
    ]
    rows.append(("jobs a second", *[f"{lane['per_second'] or 0:.1f}" for lane in lanes.values()]))
    rows.append(("worker CPU", *[_seconds(lane["cpu_seconds"]) for lane in lanes.values()]))
    rows.append(("worker memory", *[_megabytes(lane["memory_bytes"]) for lane in lanes.values()]))
    marks = [
        f"  {mark['at'] - result['started_at']:6.2f} s  {mark['what']}: {mark['detail']}" for mark in result["marks"]
    ]
    figures = table(rows, ("", *lanes), right=range(1, len(lanes) + 1))
    return "\n".join(["", figures, "", *marks, *([""] if marks else []), result["verdict"]])


def _megabytes(value: float | None) -> str:
    return "–" if value is None else f"{value / 1e6:.0f} MB"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f} s"
