"""What happened, written down by whoever did it: one line of JSON an event, in the file that EVIDENCE names.

A line is appended with one system call, so that a process killed a moment later has said it, and the lines of several
processes do not mix. The kit's ledger cannot serve here: it may lose a dying process's last events.
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "EVIDENCE"


@dataclass(frozen=True)
class Note:
    """One line: when (seconds since 1970), by which process, what, and the rest by name."""

    at: float
    pid: int
    what: str
    facts: dict[str, Any] = field(default_factory=dict)


def note(what: str, **facts: Any) -> None:
    """Write down that `what` happened now; where nobody collects evidence, do nothing."""
    if path := os.environ.get(VARIABLE):
        write(Path(path), what, facts)


def write(path: Path, what: str, facts: dict[str, Any]) -> None:
    """Append a note to `path`."""
    line = json.dumps({"at": time.time(), "pid": os.getpid(), "what": what, **facts}, ensure_ascii=False, default=str)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)


def read(path: Path) -> list[Note]:
    """The notes in `path`, in the order in which they were written."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Note(line.pop("at"), line.pop("pid"), line.pop("what"), line) for line in lines]


def hold(where: str) -> None:
    """Note "holds" and wait until the experiment lets everybody pass `where`: so it can kill or look just there."""
    note("holds", where=where)
    gate = gate_of(Path(os.environ[VARIABLE]), where)
    while not gate.exists():
        time.sleep(0.005)


def gate_of(evidence: Path, where: str) -> Path:
    """The file whose being there lets everybody pass `where`."""
    return evidence.with_name(f"passed-{where}")
