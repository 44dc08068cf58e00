"""`kit compare`: send one batch of jobs down several lanes at the same moments, and lay the results side by side.

    ./kit compare                                        20 posts down both lanes
    ./kit compare --preset kill-worker                   one of a dozen comparisons that each teach one thing
    ./kit compare --preset kill-worker --count 100       the same, with another number of jobs
    ./kit compare --presets                              the list of them
    ./kit compare --at 2s:kill-worker --job process_task --args '{"task_num": 1, "timeout": 0.5}' --count 40
    ./kit compare --lanes celery raw inline --rate 5 --json
    ./kit compare --job debug_task --count 60 --burst 20 --every 3 --priorities 0,5
    ./kit compare --job process_task --args '{"task_num": 1, "timeout": 3}' --job debug_task --times 1 --times 9

Faults for --at: kill-worker, kill-child and freeze-worker concern each lane, or one lane as in 2s:kill-child:raw.
2s:freeze-worker:3s freezes it for 3 seconds. 2s:scale:3 changes the number of workers, 2s:scale:raw:3 on one lane.
2s:restart-broker, 2s:cut-connections and 2s:empty-redis concern the kit's servers. The others concern the next calls
of each lane to the outside world, as in 1s:error:8, or of one lane, as in 1s:error:raw:8. They are rate-limit, error,
hang and lose-reply. 1s:hang:2:5s lets two calls hang for 5 seconds.
The record is written to reports/comparisons/ID/. The exit code is 0 if no job was lost and no effect came twice.
"""

import argparse
import json
import time
from itertools import zip_longest
from typing import Any

from commands.common import cards, client
from commands.common.console import DONE, NO, USAGE, Problem, Progress, bar, say
from commands.submit import parse

PAUSE = 0.2  # seconds between two questions


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", metavar="NAME", help="a prepared comparison; each other option changes it")
    parser.add_argument("--presets", action="store_true", help="list the prepared comparisons")
    parser.add_argument("--name", help="a name for the lists")
    parser.add_argument(
        "--job", action="append", metavar="JOB", help="a job or a workflow (process_post); repeat: a mix"
    )
    parser.add_argument("--args", action="append", default=[], metavar="JSON",
                        help="the job's arguments; without post_id: sample posts")  # fmt: skip
    parser.add_argument("--times", action="append", type=int, default=[], metavar="N", help="times in a row (1)")
    parser.add_argument("--count", type=int, metavar="N", help="jobs on each lane (20)")
    parser.add_argument("--lanes", nargs="+", choices=client.LANES, help="celery raw")
    parser.add_argument("--rate", type=float, metavar="R", help="submit R jobs a second; without it all at once")
    parser.add_argument("--burst", type=int, metavar="N", help="submit N jobs at once, again and again; needs --every")
    parser.add_argument("--every", type=float, metavar="S", help="seconds between two bursts")
    parser.add_argument("--priorities", type=whole_numbers, metavar="P,P", help="taken in turn (0); 0,5 alternates")
    parser.add_argument("--countdown", type=float, metavar="S", help="start each job no earlier than S seconds later")
    parser.add_argument("--at", action="append", metavar="S:FAULT", help="a fault, such as 2s:kill-worker")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds until it ends anyway (120)")
    parser.add_argument("--json", action="store_true", help="the whole result, as one JSON object")


def whole_numbers(text: str) -> list[int]:
    """Return the numbers in a text such as 0,5."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers; write 0,5") from error


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
        print(cards.one(result))
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
    """Return the body of the request: the preset, and each given option in the place of its value.

    Raises:
        Problem: an argument has the wrong form.
    """
    if options.preset and options.preset not in presets:
        raise Problem(f"no preset is called {options.preset!r}", "./kit compare --presets", code=USAGE)
    given = {
        "name": options.name,
        "lanes": options.lanes,
        "jobs": jobs(options),
        "count": options.count,
        "arrivals": arrivals(options),
        "priorities": options.priorities,
        "countdown": options.countdown,
        "conditions": conditions(options.at),
        "deadline": options.timeout,
    }
    prepared = presets[options.preset]["request"] if options.preset else {}
    return prepared | {name: value for name, value in given.items() if value is not None}


def jobs(options: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Return the mix of jobs. The first --args and the first --times belong to the first --job, and so on."""
    from cars_bot.comparisons.request import MOST_JOBS

    if not (options.job or options.args or options.times):
        return None
    names = options.job or ["process_post"]
    if len(options.args) > len(names) or len(options.times) > len(names):
        raise Problem("there are more --args or --times than jobs", "./kit compare --job … --args …", code=USAGE)
    if wrong := [times for times in options.times if not 1 <= times <= MOST_JOBS]:
        raise Problem(f"--times {wrong[0]} is out of range", f"--times 1 to {MOST_JOBS}", code=USAGE)
    rows = zip_longest(names, map(parse, options.args), options.times)
    return [{"job": name, "args": args or {}} for name, args, times in rows for _ in range(times or 1)]


def arrivals(options: argparse.Namespace) -> dict[str, Any] | None:
    found = {"per_second": options.rate, "burst": options.burst, "every": options.every}
    return None if set(found.values()) == {None} else found


def conditions(texts: list[str] | None) -> list[dict[str, Any]] | None:
    """Return the faults of --at."""
    from cars_bot.comparisons.for_people.condition_text import parsed
    from cars_bot.errors import InvalidArguments

    try:
        return None if texts is None else [parsed(text).model_dump() for text in texts]
    except InvalidArguments as error:
        raise Problem(f"--at {error}", "./kit compare --at 2s:kill-worker", code=USAGE) from error


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
