"""Workspace: the student's own copies and the progress file, in workspace/. The repository itself stays clean.

A workspace is a folder that people move, edit and fill up. Each problem with it becomes one sentence (`Problem`). The
kit never overwrites a student's text.
"""

import difflib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.common.console import USAGE, Problem
from labs.files import ROOT, in_words, is_there, make_folder, read, replace, shown, source_of, write_new
from labs.lab import LANES, Lab

Progress = dict[str, dict[str, Any]]  # by lab: the student's checks, passes and hints


def workspace() -> Path:
    """`LABS_WORKSPACE`, or workspace/ beside the source.

    Raises:
        Problem: the path has a circle of links.
    """
    path = Path(os.environ.get("LABS_WORKSPACE") or ROOT / "workspace")
    with in_words(path):
        return path.resolve()


def copy_of(lab: Lab, lane: str) -> Path:
    """Return the path of the student's own file."""
    return workspace() / lab.name / f"{lane}_lane.py"


def start(lab: Lab) -> list[Path]:
    """Copy each starter whose file does not exist yet, and return the new files.

    Raises:
        Problem: the workspace cannot be written, or something other than a file has that name.
    """
    new = []
    for lane in LANES:
        mine = copy_of(lab, lane)
        if is_there(mine):
            read(mine)
        else:
            write_new(mine, lab.starter(lane).read_bytes())
            new.append(mine)
    return new


def put(lab: Lab, lane: str, source: Path) -> Path | None:
    """Replace the student's file by `source`. Keep the student's text in a new file, and return its path.

    Raises:
        Problem: the workspace cannot be written; the student's file is unchanged.
    """
    mine, kept = copy_of(lab, lane), None
    wanted = source.read_bytes()
    if not is_there(mine):
        write_new(mine, wanted)
        return None
    if (written := read(mine)) not in (lab.starter(lane).read_bytes(), wanted):
        kept = unused(mine)
        write_new(kept, written)
    replace(mine, wanted)
    return kept


def unused(mine: Path) -> Path:
    """Return an unused name beside `mine`, with the time in it."""
    at, number = time.strftime("%Y%m%d-%H%M%S"), 1
    kept = mine.with_suffix(f".{at}.py")
    while os.path.lexists(kept):
        number += 1
        kept = mine.with_suffix(f".{at}-{number}.py")
    return kept


def difference(lab: Lab, lane: str) -> str:
    """Return the student's changes as a diff; empty if there are none."""
    before, after = lab.starter(lane).read_text("utf-8"), source_of(started(lab, lane))
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"starter_{lane}.py", f"{lane}_lane.py", n=2
    )
    return "".join(lines)


def started(lab: Lab, lane: str) -> Path:
    """Return the path of the student's file, after a test that Python can read it.

    Raises:
        Problem: the lab is not started, or the file is no Python text.
    """
    mine = copy_of(lab, lane)
    if not is_there(mine):
        raise Problem(f"lab {lab.number} is not started", f"./kit lab start {lab.number}", code=USAGE)
    source_of(mine)
    return mine


# ------------------------------------------------------------ progress


def progress() -> Progress:
    """Return the progress so far.

    Raises:
        Problem: the progress file cannot be read, or its content is not the kit's.
    """
    if not is_there(_file()):
        return {}
    try:
        known: Progress = json.loads(read(_file()))
    except ValueError as error:
        raise Problem(f"{shown(_file())} is no JSON ({error})", "repair it, or delete it to start again") from error
    if not _is_progress(known):
        raise Problem(
            f"{shown(_file())} does not have the form that ./kit lab writes", "repair it, or delete it to start again"
        )
    return known


def _is_progress(known: object) -> bool:
    """Return whether it has the form: lab → lane → checks and pass; and the number of hints."""
    return isinstance(known, dict) and all(
        isinstance(lab, dict)
        and isinstance(lab.get("hints", 0), int)
        and all(
            isinstance(done := lab.get(lane, {"checks": 0}), dict)
            and isinstance(done.get("checks"), int)
            and isinstance(done.get("passed", ""), str)
            for lane in LANES
        )
        for lab in known.values()
    )


@contextmanager
def changing_progress() -> Iterator[Progress]:
    """Let the caller change the progress. A lock keeps other processes out, and the file is replaced in one step.

    Raises:
        Problem: the workspace cannot be written.
    """
    make_folder(workspace())
    place = workspace() / ".lock"
    if is_there(place):
        read(place)  # raises Problem for a pipe, which would block us
    with in_words(place):
        lock = place.open("a")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = progress()
        yield known
        replace(_file(), (json.dumps(known, indent=1, ensure_ascii=False) + "\n").encode())


def now() -> str:
    """Return the time as the progress file writes it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _file() -> Path:
    return workspace() / "progress.json"
