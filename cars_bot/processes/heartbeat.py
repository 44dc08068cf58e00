"""Heartbeat: a thread that renews a worker's lease in the database, and locks that make a fork safe beside it."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from sqlalchemy import case, delete

from cars_bot import database
from cars_bot.database.models import workers
from cars_bot.errors import CarsBotError, StorageUnavailable
from cars_bot.processes import clock
from cars_bot.processes.liveness import LEASE_SECONDS
from cars_bot.processes.names import family

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
FORGET_SECONDS = 86_400.0
HELD_AT_MOST = 1_000  # ids of received messages in one lease

_in_use = threading.Lock()
_logging: list[logging.Handler] = []


def _before_fork() -> None:
    """Wait until no other thread uses the database or the log. Otherwise the child would keep their locks for ever."""
    _in_use.acquire()
    _logging[:] = logging.root.handlers  # in the child, `logging` renews these locks, but not those of standard error
    for handler in _logging:
        handler.acquire()


def _after_fork() -> None:
    for handler in _logging:
        handler.release()
    _in_use.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_use.release)


@contextmanager
def between_forks() -> Iterator[None]:
    """Use the database for a moment in a process that forks. No connection stays open for a child to inherit."""
    with _in_use:
        try:
            yield
        finally:
            database.close()


@contextmanager
def database_if_it_is_there() -> Iterator[None]:
    """Use the database as `between_forks` does. If it is away, log that and go on after the block."""
    try:
        with between_forks():
            yield
    except StorageUnavailable as error:
        log.warning("%s", error)


class Heartbeat(threading.Thread):
    """Renews the lease of this process and its children, until the process ends.

    Args:
        held: returns the ids of the runs whose messages this worker has and has not begun.
        forks: true if this process forks children.
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
        self.row = {"family": family(), "name": name[:128], "lane": lane, "queues": list(queues),
                     "host": socket.gethostname()[:128], "pid": os.getpid()}  # fmt: skip
        self.held = held
        self.database = between_forks if forks else nullcontext
        self.stopping = threading.Event()

    def run(self) -> None:
        """Renew until stopped. After an error, try again later."""
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
        """Record that this worker is alive, and delete the leases that are a day old.

        Raises:
            StorageUnavailable: the lease could not be written.
        """
        with database.statements() as connection:
            now = clock.now()
            row = self.row | {"held": list(self.held())[:HELD_AT_MOST], "since": now, "renewed_at": now}
            fresh = database.insert(workers).values(row)
            gap = workers.c.renewed_at < now - LEASE_SECONDS
            changed = {"held": fresh.excluded.held, "renewed_at": now, "since": case((gap, now), else_=workers.c.since)}
            connection.execute(fresh.on_conflict_do_update(index_elements=["family"], set_=changed))
            connection.execute(delete(workers).where(workers.c.renewed_at < now - FORGET_SECONDS))

    def stop(self) -> None:
        """Stop the thread, and wait up to 2 s for its end."""
        self.stopping.set()
        self.join(timeout=2.0)
