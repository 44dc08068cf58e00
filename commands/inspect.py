"""`kit inspect`: show what each worker is doing, on both lanes.

A worker that this kit runs and that does not answer is shown as "not answering".
"""

import argparse
import json
from typing import Any

from commands.common.client import call
from commands.common.console import DONE, NO, Problem, say, table
from commands.common.state import run_dir
from commands.servers.processes import SCALABLE
from commands.servers.supervisor import Supervisor

PROGRAMS = dict(zip(("celery", "raw"), SCALABLE, strict=True))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lane", choices=PROGRAMS, help="only this lane")
    parser.add_argument("--json", action="store_true", help='the API\'s answer, and "silent": [names]')


def main(options: argparse.Namespace) -> int:
    lanes = [options.lane] if options.lane else list(PROGRAMS)
    found = call("GET", "/api/workers")
    found["workers"] = [worker for worker in found["workers"] if worker["lane"] in lanes]
    found["notes"] = {lane: note for lane, note in found["notes"].items() if lane in lanes}
    found["silent"] = silent(found["workers"], lanes)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)
    return NO if found["notes"] or found["silent"] else DONE


def silent(heard: list[dict[str, Any]], lanes: list[str]) -> list[str]:
    """Return the workers that run here, as `kit status` shows, but did not answer."""
    names = {worker["name"].partition("@")[0] for worker in heard}
    programs = [PROGRAMS[lane] for lane in lanes]
    try:
        processes = Supervisor(run_dir()).processes()
    except Problem:
        return []  # the workers run elsewhere: in containers, or under another supervisor
    return [p.name for p in processes if p.program in programs and p.state == "RUNNING" and p.name not in names]


def show(found: dict[str, Any]) -> None:
    rows = [
        (worker["lane"], worker["name"], worker["pid"], worker["jobs_done"], child["pid"], doing(child))
        for worker in found["workers"]
        for child in worker["children"]
    ]
    if rows:
        print(table(rows, ("lane", "worker", "pid", "done", "child", "is doing"), right=(2, 3, 4)))
    for name in found["silent"]:
        print(f"{name}: not answering")
    for lane, note in found["notes"].items():
        say(f"{lane}: {note}")


def doing(child: dict[str, Any]) -> str:
    return f"{child['job']} for {child['seconds']} s, run {child['run']}" if child["job"] else "idle"
