"""Choosing loopback ports: the preferred one, or the next that is free.

A port may be another kit's although nobody listens on it now: that kit is just starting, or its broker is down for a
lesson. So what a kit has chosen stands in a small file, with a pid, and counts as taken while that process lives:
first the command that starts the kit, then its supervisord.
"""

import contextlib
import fcntl
import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from commands.common.console import Problem
from commands.common.state import is_alive

PREFERRED = {
    "api": 8080,
    "outside_world": 8090,
    "flower": 5555,
    "rabbitmq": 5672,
    "rabbitmq_management": 15672,
    "redis": 6379,
    "rabbitmq_dist": 25672,
    "epmd": 4369,
}
STEPS = 200
LISTENING = "0A"  # as /proc/net/tcp writes the state of a socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` of `host`, an address of this machine, now."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:  # somebody has it, or this machine has no such address
        return False
    return not answers(port, host)


def answers(port: int, host: str = "127.0.0.1", seconds: float = 0.3) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError:
        return False
    return True


def listener_is(port: int, pid: int) -> bool | None:
    """Whether process `pid` itself listens on `port`: None if nobody does, False if it is somebody else."""
    inodes = set()
    for family in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    try:
        return any(str(link.readlink()) in inodes for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def choose(names: list[str], expected: dict[str, int] | None = None) -> dict[str, int]:
    """A free port for each of `names`, promised to this process until it ends; where the user expects one, that one.

    Raises:
        Problem: two hundred ports in a row are taken.
    """
    with _promises() as promised:
        chosen = {}
        for name in names:
            if expected and name in expected:
                chosen[name] = expected[name]
                continue
            first = PREFERRED[name]
            for port in range(first, first + STEPS):
                if str(port) not in promised and is_free(port):
                    break
            else:
                raise Problem(
                    f"no free port for {name} between {first} and {first + STEPS}", "ss -ltnp  shows who has them"
                )
            chosen[name] = port
            promised[str(port)] = os.getpid()
    return chosen


def hand_over(chosen: Iterable[int], pid: int) -> None:
    """From now on these ports are promised to process `pid`."""
    with _promises() as promised:
        promised |= {str(port): pid for port in chosen}


@contextlib.contextmanager
def _promises() -> Iterator[dict[str, int]]:
    """Port → pid of the living process it is promised to; what the caller adds is written back."""
    path = Path(tempfile.gettempdir()) / f"kit-ports-{os.getuid()}.json"
    path.touch(mode=0o600)
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            promised = {port: pid for port, pid in json.load(file).items() if is_alive(pid)}
        except ValueError:
            promised = {}
        yield promised
        file.seek(0)
        file.truncate()
        json.dump(promised, file)
