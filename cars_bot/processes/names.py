"""Names of processes: a run's row has the name of the process that holds the run.

b1c5f0aa  -  812-90317   /   815-90344
place        the worker      its child: a process id, and the start time of the process
"""

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path


@cache
def place() -> str:
    """Return a name of this machine since its boot and of our process-id namespace. Short: each take writes it."""
    try:
        boot, part = Path("/proc/sys/kernel/random/boot_id").read_bytes(), Path("/proc/self/ns/pid").stat().st_ino
        return blake2b(boot + str(part).encode(), digest_size=4).hexdigest()
    except OSError:  # not Linux: no process can ask the kernel about us, so the lease alone decides
        return os.urandom(4).hex()


def stat(pid: int) -> tuple[str, str] | None:
    """Return the state's letter and the start time of a process, or None if it does not exist. See proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]


def process(pid: int) -> str:
    return f"{pid}-{(stat(pid) or ('', '0'))[1]}"


_family: str = ""
_me: tuple[int, str] = (0, "")


def family() -> str:
    """Return the name of this worker: the name of the process that called this first. Forked children keep it."""
    global _family
    if not _family:
        _family = f"{place()}-{process(os.getpid())}"
    return _family


def me() -> str:
    """Return the name of this process. A run's row has it while this process works on the run."""
    global _me
    if _me[0] != (pid := os.getpid()):
        _me = pid, f"{family()}/{process(pid)}"
    return _me[1]


def child(pid: int) -> str:
    """Return the beginning of the name of our child `pid`. Its start time may be unknown, because it may be gone."""
    return f"{family()}/{pid}-"
