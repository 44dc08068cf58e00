"""Processes of this kit on this machine: its workers with their children, its servers, and its own commands."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cars_bot.processes import liveness
from cars_bot.settings import settings

PROGRAMS = {"celery": b"celery", "raw": b"raw_consumer"}  # a word in the command line of each lane's worker
SERVERS = {"rabbitmq": b"beam.smp", "redis": b"redis-server"}


class Worker(NamedTuple):
    """A worker's parent process."""

    pid: int
    name: str
    lane: str


def workers() -> list[Worker]:
    """Return the living workers of both lanes on this machine, in the order of their names.

    Raises:
        StorageUnavailable: the workers cannot be read.
    """
    return [
        Worker(each["pid"], each["name"], each["lane"])
        for each in liveness.alive()
        if each["host"] == socket.gethostname()[:128]
        if each["lane"] in PROGRAMS and _is_ours(Path(f"/proc/{each['pid']}"), PROGRAMS[each["lane"]])
    ]


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children. A process that has ended has none."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def has_server(name: str) -> bool:
    """Return whether this kit started the server called `name`. Another program's server is left alone."""
    return any(_is_ours(process, SERVERS[name]) for process in Path("/proc").glob("[0-9]*"))


def type_in(words: Sequence[str], stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start one of the kit's own commands, and do not wait for its end. It goes on if the API ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "commands", *words],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _is_ours(process: Path, word: bytes) -> bool:
    """Return whether a process belongs to this kit: a word in its command line, and its run directory."""
    try:
        words = (process / "cmdline").read_bytes()
        environment = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    name = b"KIT_RUN_DIR="
    found = [os.fsdecode(line.removeprefix(name)) for line in environment if line.startswith(name)]
    return word in words and bool(found) and Path(found[0]).resolve() == settings().run_dir.resolve()
