"""What happened, written down by whoever did it: one line of JSON an event, in the file that EVIDENCE names.

A line is appended with one system call, so that a process killed a moment later has said it, and the lines of several
processes do not mix. The kit's ledger cannot serve here: it may lose a dying process's last events.
"""

import json
import os
import threading
import time
from contextlib import suppress
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
        os.write(file, line.encode(errors="backslashreplace") + b"\n")  # half an emoji is no reason to fail
    finally:
        os.close(file)


class Reader:
    """Reads the notes in `path`, which grows meanwhile: each time only what has come since."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._notes = path, 0, list[Note]()
        self._lock = threading.Lock()

    def notes(self) -> list[Note]:
        """All notes so far, in the order in which they were written."""
        with suppress(FileNotFoundError), self._lock, self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # the rest of it comes in a moment
                self._read += len(line)
                facts = json.loads(line)
                self._notes.append(Note(facts.pop("at"), facts.pop("pid"), facts.pop("what"), facts))
        return self._notes


def hold(where: str) -> None:
    """Note "holds" and wait until the experiment lets everybody pass `where`: so it can kill or look just there."""
    note("holds", where=where)
    gate = gate_of(Path(os.environ[VARIABLE]), where)
    while not gate.exists():
        time.sleep(0.005)


def gate_of(evidence: Path, where: str) -> Path:
    """The file whose being there lets everybody pass `where`."""
    return evidence.with_name(f"passed-{where}")
