"""The student's own copies, in workspace/, and what is known of their progress. The repository itself stays clean.

A workspace is a folder that people move, edit and fill up. Whatever is the matter with it is said in one sentence
(`Problem`), and nothing that a student has written is ever overwritten.
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

Progress = dict[str, dict[str, Any]]  # by lab: what was done there


def workspace() -> Path:
    """`LABS_WORKSPACE`, or workspace/ beside the source.

    Raises:
        Problem: the way there is a circle of links.
    """
    path = Path(os.environ.get("LABS_WORKSPACE") or ROOT / "workspace")
    with in_words(path):
        return path.resolve()


def copy_of(lab: Lab, lane: str) -> Path:
    """The file in which the student works."""
    return workspace() / lab.name / f"{lane}_lane.py"


def start(lab: Lab) -> list[Path]:
    """Copy the starters to where there is nothing yet; return those that are new.

    Raises:
        Problem: the workspace does not let us, or something that is no file is there.
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
    """Replace a copy by `source`; what the student had written is kept beside it, and its path returned.

    Raises:
        Problem: the workspace does not let us; then the copy is as it was.
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
    """A name beside `mine` with the time in it, which nothing has yet."""
    at, number = time.strftime("%Y%m%d-%H%M%S"), 1
    kept = mine.with_suffix(f".{at}.py")
    while os.path.lexists(kept):
        number += 1
        kept = mine.with_suffix(f".{at}-{number}.py")
    return kept


def difference(lab: Lab, lane: str) -> str:
    """What the student has changed; empty if nothing."""
    before, after = lab.starter(lane).read_text("utf-8"), source_of(started(lab, lane))
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"starter_{lane}.py", f"{lane}_lane.py", n=2
    )
    return "".join(lines)


def started(lab: Lab, lane: str) -> Path:
    """The student's file, which can be read.

    Raises:
        Problem: the lab was not started, or the file is none that Python could run.
    """
    mine = copy_of(lab, lane)
    if not is_there(mine):
        raise Problem(f"lab {lab.number} is not started", f"./kit lab start {lab.number}", code=USAGE)
    source_of(mine)
    return mine


# ------------------------------------------------------------ progress


def progress() -> Progress:
    """What was done so far.

    Raises:
        Problem: the file cannot be read, or somebody else has written it.
    """
    if not is_there(_file()):
        return {}
    try:
        known: Progress = json.loads(read(_file()))
    except ValueError as error:
        raise Problem(f"{shown(_file())} is no JSON ({error})", "mend it, or delete it to begin anew") from error
    if not _is_progress(known):
        raise Problem(f"{shown(_file())} is not what ./kit lab writes there", "mend it, or delete it to begin anew")
    return known


def _is_progress(known: object) -> bool:
    """Whether it has the form: lab → lane → what was done, and the number of hints."""
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
    """Change it; nobody else does meanwhile, and nobody ever sees half of it.

    Raises:
        Problem: the workspace does not let us.
    """
    make_folder(workspace())
    place = workspace() / ".lock"
    if is_there(place):
        read(place)  # a pipe of that name would keep us waiting
    with in_words(place):
        lock = place.open("a")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = progress()
        yield known
        replace(_file(), (json.dumps(known, indent=1, ensure_ascii=False) + "\n").encode())


def now() -> str:
    """The time as it stands in the progress file: UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _file() -> Path:
    return workspace() / "progress.json"
