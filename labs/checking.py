"""`kit lab check`: start servers, run trials, print the verdicts and store the progress."""

import os
from collections.abc import Iterator
from pathlib import Path

from commands.common.console import CANNOT, DONE, NO, say
from experiments.ground import Ground
from experiments.started import started
from labs.files import replace, shown
from labs.lab import Lab, all_labs
from labs.timeline import picture
from labs.verdict import Verdict, judge
from labs.workspace import changing_progress, now

LOOK = 0.3  # seconds between two looks at a watched file
CODES = {"valid": DONE, "invalid": NO, "unknown": CANNOT}


def check(lab: Lab, programs: dict[str, Path], *, repeat: int, as_json: bool, watch: bool) -> int:
    """Try the programs, by lane. Return 0 if all trials were valid, 1 if one was invalid, 4 if one was impossible."""
    with started() as servers:
        code = _check(lab, programs, servers, repeat, as_json)
        for changed in changes(programs, servers) if watch else ():
            code = _check(lab, changed, servers, repeat, as_json)
    return code


def changes(programs: dict[str, Path], servers: Ground) -> Iterator[dict[str, Path]]:
    """Yield the programs that were saved since the last look, for ever."""
    known = {lane: saved_at(path) for lane, path in programs.items()}
    say(f"\nwatching {', '.join(map(shown, programs.values()))}; Ctrl-C ends it")
    while True:
        servers.rest(LOOK)
        seen = {lane: at for lane, path in programs.items() if (at := saved_at(path))}
        if changed := [lane for lane, at in seen.items() if at != known[lane]]:
            known |= seen
            yield {lane: programs[lane] for lane in changed}


def saved_at(path: Path) -> int:
    """Return the time of the last save, in nanoseconds since 1970. Return 0 while an editor replaces the file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _check(lab: Lab, programs: dict[str, Path], servers: Ground, repeat: int, as_json: bool) -> int:
    codes = []
    for lane, program in programs.items():
        verdicts = []
        for _ in range(repeat):
            verdict = judge(lab, lane, program, servers)
            verdicts.append(verdict)
            codes.append(CODES[verdict.verdict])
            if as_json:
                print(verdict.as_json(), flush=True)
            else:
                print(f"\nLab {lab.number}. {lab.title} · {lane} · {shown(program)}\n\n{verdict.as_text()}", flush=True)
            image = program.with_suffix(".svg")
            replace(image, picture(f"{lab.title}, {lane}", verdict.history, os.getpid()).encode())
            if not as_json:
                print(f"  what happened when: {shown(image)}", flush=True)
        _remember(lab, lane, verdicts)
    if max(codes) == DONE and not as_json:
        say(_next_step(lab))
    return max(codes)


def _remember(lab: Lab, lane: str, verdicts: list[Verdict]) -> None:
    with changing_progress() as known:
        mine = known.setdefault(lab.name, {}).setdefault(lane, {"checks": 0})
        mine["checks"] += len(verdicts)
        mine["last"] = verdicts[-1].verdict
        if "passed" not in mine and all(verdict.verdict == "valid" for verdict in verdicts):
            mine["passed"] = now()


def _next_step(lab: Lab) -> str:
    after = next((each for each in all_labs() if each.number > lab.number), None)
    more = f", then ./kit lab start {after.number}   ({after.title})" if after else "; that was the last one"
    return f"\nPassed. What happened and why: ./kit lab explain {lab.number}{more}"
