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
    """Run one of the commands and return its exit code."""
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
    """The command line."""
    parser = argparse.ArgumentParser(prog="./kit lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=str(command.__doc__).partition("\n")[0])
        if name in ("list", "progress"):
            one.add_argument("--json", action="store_true")
            continue
        one.add_argument("number", type=int, metavar="N")
        if name not in ("start", "explain"):
            one.add_argument("--lane", choices=LANES, help="only this one")
        if name == "check":
            one.add_argument("--watch", action="store_true", help="again whenever the file is saved, until Ctrl-C")
            one.add_argument("--repeat", type=int, default=1, metavar="K")
            one.add_argument("--json", action="store_true", help="a line of JSON for each trial")
        if name in ("solution", "explain"):
            one.add_argument("--anyway", action="store_true", help="before the check has passed")
    return parser.parse_args(words)


def lanes(options: Options) -> list[str]:
    """Those asked for."""
    return [options.lane] if options.lane else list(LANES)


def list_(options: Options) -> int:
    """all labs, and which are done"""
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
    from labs import checking  # it needs the packages, which take their time to load

    chosen = lab(options.number)
    if options.repeat < 1:
        raise Problem("--repeat takes 1 or more", code=USAGE)
    programs = {lane: started(chosen, lane) for lane in lanes(options)}
    with changing_progress():  # a workspace that cannot be written to is found before the servers are started
        pass
    return checking.check(chosen, programs, repeat=options.repeat, as_json=options.json, watch=options.watch)


def hint(options: Options) -> int:
    """the next of three hints"""
    chosen = lab(options.number)
    with changing_progress() as known:
        mine = known.setdefault(chosen.name, {})
        mine["hints"] = min(mine.get("hints", 0) + 1, len(chosen.hints))
    print(f"Hint {mine['hints']} of {len(chosen.hints)}\n\n{chosen.hints[mine['hints'] - 1]}")
    return DONE


def diff(options: Options) -> int:
    """what you have changed so far"""
    for lane in lanes(options):
        print(workspace.difference(lab(options.number), lane) or f"{lane}: nothing is changed yet")
    return DONE


def reset(options: Options) -> int:
    """begin anew; what you had is kept beside it"""
    return _put(options, Lab.starter)


def solution(options: Options) -> int:
    """put a solution in the place of your program, once it has passed"""
    chosen = lab(options.number)
    for lane in lanes(options):
        if not options.anyway and not _passed(chosen, lane):
            raise Problem(
                f"lab {chosen.number} has not passed on {lane} yet",
                f"./kit lab hint {chosen.number}, or ./kit lab solution {chosen.number} --anyway", code=NO,
            )  # fmt: skip
    with changing_progress() as known:
        for lane in lanes(options):
            if not (mine := known.setdefault(chosen.name, {}).setdefault(lane, {"checks": 0})).get("passed"):
                mine.setdefault("solution", now())
    return _put(options, Lab.solution)


def explain(options: Options) -> int:
    """what happened and why, once it has passed"""
    chosen = lab(options.number)
    if not options.anyway and not any(_passed(chosen, lane) for lane in LANES):
        raise Problem(f"lab {chosen.number} has not passed yet", f"./kit lab explain {chosen.number} --anyway", code=NO)
    print(chosen.section("What happened"))
    return DONE


def progress(options: Options) -> int:
    """what was done when; as JSON, for a teacher"""
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
            f"{shown(copy_of(chosen, lane))} is {source(chosen, lane).name} now"
            + (f"; yours is {shown(kept)}" if kept else "")
        )
    return DONE


COMMANDS: dict[str, Callable[[Options], int]] = {
    "list": list_, "start": start, "check": check, "hint": hint, "diff": diff, "reset": reset, "solution": solution,
    "explain": explain, "progress": progress,
}  # fmt: skip

if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main(sys.argv[1:]))
