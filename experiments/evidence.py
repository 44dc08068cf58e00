"""Evidence: one line of JSON for each event, written by the process itself into the file that EVIDENCE names.

One system call appends a line. So a process that is killed a moment later has still written it, and the lines of
several processes do not mix. The kit's ledger cannot serve here: it may lose a dying process's last events.
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
    """One line: the time (seconds since 1970), the process, the event, and further facts by name."""

    at: float
    pid: int
    what: str
    facts: dict[str, Any] = field(default_factory=dict)


def note(what: str, **facts: Any) -> None:
    """Write down that `what` happened now. Do nothing if EVIDENCE names no file."""
    if path := os.environ.get(VARIABLE):
        write(Path(path), what, facts)


def write(path: Path, what: str, facts: dict[str, Any]) -> None:
    """Append a note to `path`."""
    line = json.dumps({"at": time.time(), "pid": os.getpid(), "what": what, **facts}, ensure_ascii=False, default=str)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode(errors="backslashreplace") + b"\n")  # a lone surrogate (half an emoji) is no error
    finally:
        os.close(file)


class Reader:
    """Reads the notes in `path` while the file grows: each time only the new lines."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._notes = path, 0, list[Note]()
        self._lock = threading.Lock()

    def notes(self) -> list[Note]:
        """Return all notes so far, in the order in which they were written."""
        with suppress(FileNotFoundError), self._lock, self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # the rest of the line comes in a moment
                self._read += len(line)
                facts = json.loads(line)
                self._notes.append(Note(facts.pop("at"), facts.pop("pid"), facts.pop("what"), facts))
        return self._notes


def hold(where: str) -> None:
    """Note "holds" and wait until the experiment opens the gate `where`. So it can kill or look exactly here."""
    note("holds", where=where)
    gate = gate_of(Path(os.environ[VARIABLE]), where)
    while not gate.exists():
        time.sleep(0.02)


def gate_of(evidence: Path, where: str) -> Path:
    """Return the file that is the gate `where`: it is open for every process as soon as the file exists."""
    return evidence.with_name(f"passed-{where}")
