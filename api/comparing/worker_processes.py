"""Worker processes of this kit on this machine, by lane, with their children."""

import os
import socket
from pathlib import Path
from typing import NamedTuple

from cars_bot.processes import liveness
from cars_bot.settings import settings

PROGRAMS = {"celery": b"celery", "raw": b"raw_consumer"}  # a word in the command line of each lane's worker


class Worker(NamedTuple):
    """A worker's parent process."""

    pid: int
    name: str
    lane: str


def here() -> list[Worker]:
    """Return the living workers of both lanes on this machine, in the order of their names.

    Raises:
        StorageUnavailable: the workers cannot be read.
    """
    return [
        Worker(each["pid"], each["name"], each["lane"])
        for each in liveness.alive()
        if each["host"] == socket.gethostname()[:128] and _is_ours(each["pid"], each["lane"])
    ]


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children. A process that has ended has none."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_ours(pid: int, lane: str) -> bool:
    """Return whether a process is a worker of this kit: its program and its run directory say so."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return lane in PROGRAMS and PROGRAMS[lane] in words and _run_dir(environment) == settings().run_dir.resolve()


def _run_dir(environment: list[bytes]) -> Path | None:
    name = b"KIT_RUN_DIR="
    found = [os.fsdecode(line.removeprefix(name)) for line in environment if line.startswith(name)]
    return Path(found[0]).resolve() if found else None
