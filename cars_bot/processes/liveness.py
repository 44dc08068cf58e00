"""Who is alive: a process names itself, renews a lease, and others ask whether it is gone.

    b1c5f0aa  -  812-90317   /   815-90344
    place        the worker      its child that works: a process id, and when the process started

On the same machine the kernel answers at once and exactly: the process is there, or it is not. Of a process elsewhere
(another machine, another container) only its lease is known, which its worker's parent process renews in the
database: a job that keeps its child busy, or holds Python's lock, does not make the worker look dead. A process that is
stopped (SIGSTOP) is there and does nothing; it counts as gone when its lease is over too.

While the database is away nobody can renew. So a lease is over only if somebody else has renewed meanwhile without a
gap.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, case, delete, not_, select

from cars_bot import database
from cars_bot.database.models import workers
from cars_bot.errors import CarsBotError
from cars_bot.processes import clock

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
LEASE_SECONDS = 20.0
FORGET_SECONDS = 86_400.0
HELD_AT_MOST = 1_000  # ids of messages in hand that a worker tells of


# ---------------------------------------------------------------- names


@cache
def _place() -> str:
    """This machine since its last boot, and the part of it whose process ids we see: short, for each take writes it."""
    try:
        boot, part = Path("/proc/sys/kernel/random/boot_id").read_bytes(), Path("/proc/self/ns/pid").stat().st_ino
        return blake2b(boot + str(part).encode(), digest_size=4).hexdigest()
    except OSError:  # no Linux: nobody can ask the kernel about us, so the lease alone decides
        return os.urandom(4).hex()


def _stat(pid: int) -> tuple[str, str] | None:
    """The state's letter and the start time of a process, or None if there is none. See proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]


def _process(pid: int) -> str:
    return f"{pid}-{(_stat(pid) or ('', '0'))[1]}"


_family: str = ""
_me: tuple[int, str] = (0, "")


def family() -> str:
    """The name of this worker: of the process that called this first, kept by the children it forks."""
    global _family
    if not _family:
        _family = f"{_place()}-{_process(os.getpid())}"
    return _family


def me() -> str:
    """The name of this process, as a run's row keeps it while this process works on the run."""
    global _me
    if _me[0] != (pid := os.getpid()):
        _me = pid, f"{family()}/{_process(pid)}"
    return _me[1]


def child(pid: int) -> str:
    """How the name of our child with that process id begins: it may be gone, and its start time with it."""
    return f"{family()}/{pid}-"


# ---------------------------------------------------------------- questions


def is_gone(holder: str | None) -> bool | None:
    """Whether the process of that name will never report again. None: nobody can tell, it has no lease.

    Raises:
        StorageUnavailable: the leases cannot be read.
    """
    if not holder:
        return True
    its_family, _, process = holder.partition("/")
    if its_family.rsplit("-", 2)[0] != _place():
        return _lease_is_over(its_family)
    pid, _, start = process.partition("-")
    there = _stat(int(pid)) if pid.isdecimal() else None
    if there is None or there[0] in "ZX" or there[1] != start:
        return True
    return there[0] in "Tt" and bool(_lease_is_over(its_family))


def is_lost(run: Any) -> bool:
    """Whether a run is IN_PROGRESS, by its row, and nobody is at it any more.

    Raises:
        StorageUnavailable: nobody can tell now.
    """
    return run.state == "IN_PROGRESS" and bool(is_gone(run.holder) or is_overdue(run))


def is_overdue(run: Any) -> bool:
    """Whether an attempt lasts longer than its limits allow."""
    return run.overdue_at is None or clock.now() > run.overdue_at


def _is_fresh() -> ColumnElement[bool]:
    """The lease is not over. One that was renewed in the future was so by a clock that was ahead: nobody renews it."""
    now = clock.now()
    return workers.c.renewed_at.between(now - LEASE_SECONDS, now + LEASE_SECONDS)


def _lease_is_over(its_family: str) -> bool | None:
    with database.statements() as connection:
        over = connection.execute(select(not_(_is_fresh())).where(workers.c.family == its_family)).scalar_one_or_none()
        if not over:
            return None if over is None else False
        witness = select(workers.c.family).where(workers.c.since < clock.now() - LEASE_SECONDS, _is_fresh())
        return connection.execute(witness.limit(1)).first() is not None


def held(lane: str) -> set[str]:
    """The ids of the runs whose messages the workers of `lane` have received and not begun."""
    with database.statements() as connection:
        told = connection.execute(select(workers.c.held).where(workers.c.lane == lane, _is_fresh())).scalars()
        return {run_id for ids in told for run_id in ids or ()}


def others(lane: str) -> list[str]:
    """The families of the workers of `lane` that are alive, without our own."""
    with database.statements() as connection:
        fresh = (workers.c.lane == lane) & _is_fresh()
        families = connection.execute(select(workers.c.family).where(fresh)).scalars().all()
    return [name for name in families if name != family() and not _has_ended(name)]


def unserved(lane: str, queues: Iterable[str]) -> list[str]:
    """Those of `queues` that no living worker of `lane` consumes. A worker that reports over HTTP is not known here.

    Raises:
        StorageUnavailable: the leases cannot be read.
    """
    with database.statements() as connection:
        told = select(workers.c.family, workers.c.queues).where((workers.c.lane == lane) & _is_fresh())
        found = connection.execute(told).all()
    served = {queue for name, consumed in found if not _has_ended(name) for queue in consumed or ()}
    return [queue for queue in queues if queue not in served]


def _has_ended(its_family: str) -> bool | None:
    """Whether a worker's parent process is gone."""
    return is_gone(f"{its_family}/{'-'.join(its_family.rsplit('-', 2)[1:])}")


# ---------------------------------------------------------------- renewing

_in_use = threading.Lock()
_logging: list[logging.Handler] = []


def _before_fork() -> None:
    """Wait until no other thread uses the database or writes to the log: the child would have their locks for ever."""
    _in_use.acquire()
    _logging[:] = logging.root.handlers  # `logging` renews these locks in the child, but not those of standard error
    for handler in _logging:
        handler.acquire()


def _after_fork() -> None:
    for handler in _logging:
        handler.release()
    _in_use.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_use.release)


@contextmanager
def between_forks() -> Iterator[None]:
    """Use the database for a moment in a process that forks: no connection stays behind for a child to inherit."""
    with _in_use:
        try:
            yield
        finally:
            database.close()


class Heartbeat(threading.Thread):
    """Renews the lease of this process and its children, until the process ends.

    Args:
        held: returns the ids of the runs whose messages are here and not begun.
        forks: whether this process forks children.
    """

    def __init__(
        self,
        name: str,
        lane: str,
        queues: Sequence[str] = (),
        held: Callable[[], Sequence[str]] = lambda: (),
        forks: bool = True,
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.told = {"family": family(), "name": name[:128], "lane": lane, "queues": list(queues),
                     "host": socket.gethostname()[:128], "pid": os.getpid()}  # fmt: skip
        self.held = held
        self.database = between_forks if forks else nullcontext
        self.stopping = threading.Event()

    def run(self) -> None:
        """Renew until stopped; what goes wrong is tried again."""
        while not self.stopping.is_set():
            try:
                with self.database():
                    self.renew()
            except CarsBotError as error:
                log.warning("heartbeat: %s", error)
            except Exception:
                log.exception("heartbeat")
            self.stopping.wait(RENEW_SECONDS)

    def renew(self) -> None:
        """Write down that we are alive, and forget who has not been for a day.

        Raises:
            StorageUnavailable: it could not be written.
        """
        with database.statements() as connection:
            now = clock.now()
            row = self.told | {"held": list(self.held())[:HELD_AT_MOST], "since": now, "renewed_at": now}
            fresh = database.insert(workers).values(row)
            gap = workers.c.renewed_at < now - LEASE_SECONDS
            changed = {"held": fresh.excluded.held, "renewed_at": now, "since": case((gap, now), else_=workers.c.since)}
            connection.execute(fresh.on_conflict_do_update(index_elements=["family"], set_=changed))
            connection.execute(delete(workers).where(workers.c.renewed_at < now - FORGET_SECONDS))

    def stop(self) -> None:
        """End it, and wait a little."""
        self.stopping.set()
        self.join(timeout=2.0)
