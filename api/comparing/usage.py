"""Usage: the CPU time and the memory of each lane's workers while a comparison runs. Only workers of this machine."""

import os
from collections.abc import Sequence
from pathlib import Path

from api.comparing import kit_processes

TICKS = os.sysconf("SC_CLK_TCK")  # of /proc, in a second


class Usage:
    """The sums so far. A process that is killed between two samples takes its last part with it."""

    def __init__(self, lanes: Sequence[str]) -> None:
        self.lanes = {lane: {"cpu_seconds": 0.0, "memory_bytes": 0} for lane in lanes if lane != "inline"}
        self._cpu: dict[int, float] = {}  # by process, at the last sample
        self.sample(first=True)

    def sample(self, first: bool = False) -> None:
        """Add what was used since the last sample. The memory is the largest so far.

        Raises:
            StorageUnavailable: the workers cannot be read.
        """
        memory = dict.fromkeys(self.lanes, 0)
        for worker in kit_processes.workers():
            if worker.lane not in self.lanes:
                continue
            for pid in (worker.pid, *kit_processes.children(worker.pid)):
                cpu = _cpu(pid)
                # A process that was not there at the last sample was started since: all of its time counts.
                self.lanes[worker.lane]["cpu_seconds"] += 0.0 if first else cpu - self._cpu.get(pid, 0.0)
                self._cpu[pid] = cpu
                memory[worker.lane] += _memory(pid)
        for lane, size in memory.items():
            self.lanes[lane]["memory_bytes"] = max(size, self.lanes[lane]["memory_bytes"])

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the sums of the lanes whose workers are on this machine."""
        return {lane: each for lane, each in self.lanes.items() if each["memory_bytes"]}


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has used; see proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> int:
    """Return the memory of a process in bytes, with its share of what it shares with others (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
