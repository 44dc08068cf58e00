"""python -m labs list | start N | check N | hint N | diff N | reset N | solution N | explain N | progress"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands.common.console import DONE, NO, USAGE, Problem, any_terminal, report, say, table
from labs import workspace
from labs.files import shown
from labs.lab import LANES, Lab, all_labs, lab
from labs.workspace import changing_progress, copy_of, now, started

Options = argparse.Namespace


def main(words: list[str]) -> int:
    """Run one of the commands, and return its exit code."""
    options = parsed(words)
    try:
        return int(COMMANDS[options.command](options))
    except Problem as problem:
        report(problem)
        return problem.code
    except KeyboardInterrupt:
        say("\nstopped; nothing is left running")
        return 130


def parsed(words: list[str]) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="./kit lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=str(command.__doc__).partition("\n")[0])
        if name in ("list", "progress"):
            one.add_argument("--json", action="store_true")
            continue
        one.add_argument("number", type=int, metavar="N")
        if name not in ("start", "explain"):
            one.add_argument("--lane", choices=LANES, help="only this lane")
        if name == "check":
            one.add_argument("--watch", action="store_true", help="check again after each save, until Ctrl-C")
            one.add_argument("--repeat", type=int, default=1, metavar="K")
            one.add_argument("--json", action="store_true", help="a line of JSON for each trial")
        if name in ("solution", "explain"):
            one.add_argument("--anyway", action="store_true", help="even if the check has not passed yet")
    return parser.parse_args(words)


def lanes(options: Options) -> list[str]:
    """Return the chosen lane, or both."""
    return [options.lane] if options.lane else list(LANES)


def list_(options: Options) -> int:
    """list all labs, and mark those that you have passed"""
    known = workspace.progress()
    labs = [
        (each, [lane for lane in LANES if known.get(each.name, {}).get(lane, {}).get("passed")]) for each in all_labs()
    ]
    if options.json:
        print(json.dumps([{"number": each.number, "title": each.title, "passed": passed} for each, passed in labs]))
    else:
        rows = [(each.number, each.title, *("✓" if lane in passed else "" for lane in LANES)) for each, passed in labs]
        print(table(rows, ("", "lab", *LANES), right=[0]))
    return DONE


def start(options: Options) -> int:
    """copy a lab's files into the workspace"""
    chosen = lab(options.number)
    new = workspace.start(chosen)
    print(f"Lab {chosen.number}. {chosen.title}\n\n{chosen.section('Question')}\n")
    print(f"read     labs/{chosen.name}/README.md")
    for lane in LANES:
        kept = "" if copy_of(chosen, lane) in new else "   (yours, left as it is)"
        print(f"edit     {shown(copy_of(chosen, lane))}{kept}")
    print(f"then     ./kit lab check {chosen.number}   (--lane celery or raw for one of them)")
    return DONE


def check(options: Options) -> int:
    """try your program on a real broker"""
    from labs import checking  # imported here, because its packages load slowly

    chosen = lab(options.number)
    if options.repeat < 1:
        raise Problem("--repeat needs a number of trials, 1 or more", "--repeat 1", code=USAGE)
    programs = {lane: started(chosen, lane) for lane in lanes(options)}
    with changing_progress():  # find an unwritable workspace before the servers start
        pass
    return checking.check(chosen, programs, repeat=options.repeat, as_json=options.json, watch=options.watch)


def hint(options: Options) -> int:
    """show the next of three hints"""
    chosen = lab(options.number)
    with changing_progress() as known:
        mine = known.setdefault(chosen.name, {})
        mine["hints"] = min(mine.get("hints", 0) + 1, len(chosen.hints))
    print(f"Hint {mine['hints']} of {len(chosen.hints)}\n\n{chosen.hints[mine['hints'] - 1]}")
    return DONE


def diff(options: Options) -> int:
    """show what you have changed so far"""
    for lane in lanes(options):
        print(workspace.difference(lab(options.number), lane) or f"{lane}: you have changed nothing yet")
    return DONE


def reset(options: Options) -> int:
    """start again from the starter; your file is kept beside it"""
    return _put(options, Lab.starter)


def solution(options: Options) -> int:
    """replace your program with a solution, after it has passed"""
    chosen = lab(options.number)
    for lane in lanes(options):
        if not options.anyway and not _passed(chosen, lane):
            raise Problem(
                f"lab {chosen.number} has not passed on {lane} yet; its solution comes after a pass",
                f"./kit lab hint {chosen.number}, or ./kit lab solution {chosen.number} --anyway", code=NO,
            )  # fmt: skip
    with changing_progress() as known:
        for lane in lanes(options):
            if not (mine := known.setdefault(chosen.name, {}).setdefault(lane, {"checks": 0})).get("passed"):
                mine.setdefault("solution", now())
    return _put(options, Lab.solution)


def explain(options: Options) -> int:
    """explain what happened and why, after a program has passed"""
    chosen = lab(options.number)
    if not options.anyway and not any(_passed(chosen, lane) for lane in LANES):
        raise Problem(
            f"lab {chosen.number} has not passed yet; its explanation comes after a pass",
            f"./kit lab check {chosen.number}, or ./kit lab explain {chosen.number} --anyway", code=NO,
        )  # fmt: skip
    print(chosen.section("What happened"))
    return DONE


def progress(options: Options) -> int:
    """show your progress; with --json for a teacher"""
    known = workspace.progress()
    if options.json:
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return DONE
    rows = [
        (each.number, each.title, *(_in_words(known.get(each.name, {}).get(lane, {})) for lane in LANES),
         known.get(each.name, {}).get("hints", 0) or "")
        for each in all_labs()
    ]  # fmt: skip
    print(table(rows, ("", "lab", *LANES, "hints"), right=[0, 4]))
    return DONE


def _passed(chosen: Lab, lane: str) -> bool:
    return bool(workspace.progress().get(chosen.name, {}).get(lane, {}).get("passed"))


def _in_words(known: dict[str, Any]) -> str:
    if passed := known.get("passed"):
        return f"passed {passed[:10]}, {known['checks']} checks" + (
            ", after the solution" if "solution" in known else ""
        )
    return f"{known['checks']} checks" if known else ""


def _put(options: Options, source: Callable[[Lab, str], Path]) -> int:
    chosen = lab(options.number)
    for lane in lanes(options):
        kept = workspace.put(chosen, lane, source(chosen, lane))
        print(
            f"{shown(copy_of(chosen, lane))} is now a copy of {source(chosen, lane).name}"
            + (f"; yours is kept as {shown(kept)}" if kept else "")
        )
    return DONE


COMMANDS: dict[str, Callable[[Options], int]] = {
    "list": list_, "start": start, "check": check, "hint": hint, "diff": diff, "reset": reset, "solution": solution,
    "explain": explain, "progress": progress,
}  # fmt: skip

if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main(sys.argv[1:]))
