"""`kit wait [RUN…]`: wait until runs have ended and count their states, lane by lane.

Without ids it waits for every run. With `-` it reads ids from stdin. A run is lost if it was accepted and has not ended
when the time is up. "duplicated" counts effects beyond one per idempotency key. The exit code is 0 only if all runs
have ended.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence

from commands.common import client
from commands.common.console import DONE, NO, Problem, Progress, table

COLUMNS = ("accepted", *client.ENDED, "lost", "duplicated")
RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Counts = dict[str, dict[str, int]]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run ids; - reads them from stdin, as text or JSON")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait at most (60)")
    parser.add_argument("--json", action="store_true", help="the counts per lane and in total, as one JSON object")


def main(options: argparse.Namespace) -> int:
    ids = options.runs
    if ids == ["-"]:
        ids = RUN_ID.findall(sys.stdin.read())
        if not ids:
            raise Problem("no run ids came from stdin", "./kit submit debug_task | ./kit wait -", code=2)
    ids = list(dict.fromkeys(ids)) or None
    with Progress("Waited") as line:
        counts = verdict(wait(ids, options.timeout, line))
    print(json.dumps(counts) if options.json else for_people(counts))
    if ids and counts["total"]["accepted"] < len(ids):
        unknown = len(ids) - counts["total"]["accepted"]
        raise Problem(f"{unknown} of {len(ids)} ids belong to no run", "give ids as ./kit submit prints them", code=NO)
    return NO if counts["total"]["lost"] else DONE


def wait(ids: Sequence[str] | None, timeout: float, line: Progress) -> Counts:
    """Ask until no run is open or `timeout` seconds have passed. Return the last answer."""
    deadline = time.monotonic() + timeout
    pause = 0.05
    while True:
        counts = client.summary(ids)
        left = sum(client.still_open(lane) for lane in counts.values())
        if not left or time.monotonic() >= deadline:
            return counts
        line.update(f"{left} open")
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.5)


def verdict(counts: Counts) -> Counts:
    """Return the columns of this command, for each lane and in total."""
    lanes = {
        name: {column: lane.get(column, 0) for column in COLUMNS} | {"lost": client.still_open(lane)}
        for name, lane in counts.items()
    }
    return lanes | {"total": {column: sum(lane[column] for lane in lanes.values()) for column in COLUMNS}}


def for_people(counts: Counts) -> str:
    rows = [(name, *lane.values()) for name, lane in counts.items() if lane["accepted"] or name == "total"]
    return table(rows, ("lane", *COLUMNS), right=range(1, len(COLUMNS) + 1))
