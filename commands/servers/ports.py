"""Loopback ports: for each program the preferred one, or the next that is free.

A port may belong to another kit although nobody listens on it now. That kit may be just starting, or a lesson has
stopped its broker. So a small file holds every chosen port, with a pid. The port counts as taken while that process
lives. The process is first the command that starts the kit, then its supervisord.
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
LISTENING = "0A"  # a socket's state in /proc/net/tcp


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could now listen on `port` of `host`, an address of this machine."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:  # the port is taken, or this machine has no such address
        return False
    return not answers(port, host)


def answers(port: int, host: str = "127.0.0.1", seconds: float = 0.3) -> bool:
    """Return whether something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError:
        return False
    return True


def listener_is(port: int, pid: int) -> bool | None:
    """Return whether process `pid` itself listens on `port`. False: another process does. None: nobody does."""
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
    """Return a port for each of `names`: the port that the user expects, or a free one promised to this process.

    Raises:
        Problem: 200 ports in a row are taken.
    """
    with promises() as promised:
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
                    f"no free port for {name} between {first} and {first + STEPS}",
                    "ss -ltnp  shows the programs that use them",
                )
            chosen[name] = port
            promised[str(port)] = os.getpid()
    return chosen


def hand_over(chosen: Iterable[int], pid: int) -> None:
    """Promise these ports to process `pid` from now on."""
    with promises() as promised:
        promised |= {str(port): pid for port in chosen}


@contextlib.contextmanager
def promises() -> Iterator[dict[str, int]]:
    """Yield the promised ports, each with the pid of a living process. The caller's additions are written back."""
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
