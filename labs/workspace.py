"""The student's own copies, in workspace/, and what is known of their progress. The repository itself stays clean."""

import difflib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.console import USAGE, Problem
from labs.lab import LANES, Lab

ROOT = Path(__file__).resolve().parent.parent
Progress = dict[str, dict[str, Any]]  # by lab: what was done there


def workspace() -> Path:
    """`LABS_WORKSPACE`, or workspace/ beside the source."""
    return Path(os.environ.get("LABS_WORKSPACE") or ROOT / "workspace").resolve()


def copy_of(lab: Lab, lane: str) -> Path:
    """The file in which the student works."""
    return workspace() / lab.name / f"{lane}_lane.py"


def start(lab: Lab) -> list[Path]:
    """Copy the starters to where there is no file yet; return those that are new."""
    new = [lane for lane in LANES if not copy_of(lab, lane).exists()]
    for lane in new:
        _put(lab.starter(lane), copy_of(lab, lane))
    return [copy_of(lab, lane) for lane in new]


def put(lab: Lab, lane: str, source: Path) -> Path | None:
    """Replace a copy by `source`; what the student had written is kept beside it, and its path returned."""
    mine, kept = copy_of(lab, lane), None
    if mine.exists() and mine.read_bytes() not in (lab.starter(lane).read_bytes(), source.read_bytes()):
        kept = mine.with_suffix(time.strftime(".%Y%m%d-%H%M%S.py"))
        mine.rename(kept)
    _put(source, mine)
    return kept


def difference(lab: Lab, lane: str) -> str:
    """What the student has changed; empty if nothing."""
    before, after = lab.starter(lane).read_text("utf-8"), started(lab, lane).read_text("utf-8")
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"starter_{lane}.py", f"{lane}_lane.py", n=2
    )
    return "".join(lines)


def started(lab: Lab, lane: str) -> Path:
    """The student's file.

    Raises:
        Problem: the lab was not started.
    """
    if not (mine := copy_of(lab, lane)).exists():
        raise Problem(f"lab {lab.number} is not started", f"./kit lab start {lab.number}", code=USAGE)
    return mine


def shown(path: Path) -> str:
    """A path as the student would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def progress() -> Progress:
    """What was done so far."""
    try:
        known: Progress = json.loads(_file().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Problem(f"{shown(_file())} is no JSON ({error})", "mend it, or delete it to begin anew") from error
    return known


@contextmanager
def changing_progress() -> Iterator[Progress]:
    """Change it; nobody else does meanwhile, and nobody ever sees half of it."""
    workspace().mkdir(parents=True, exist_ok=True)
    with (workspace() / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = progress()
        yield known
        whole = _file().with_suffix(".new")
        whole.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
        whole.replace(_file())


def now() -> str:
    """The time as it stands in the progress file: UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _file() -> Path:
    return workspace() / "progress.json"


def _put(source: Path, mine: Path) -> None:
    mine.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, mine)
