"""Pool: the worker's parent process. It forks the children and watches them, and never touches a message.

A dead child's connections close, so the broker delivers its message again, marked as redelivered; `execute` counts
that. The parent forks a new child. It also kills a child whose job is past its hard limit or was revoked. It records
the outcome first, so the redelivered message finds its run ended. The shared slot tells the parent each child's job.
"""

import ctypes
import logging
import math
import mmap
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from cars_bot import ledger
from cars_bot.processes import heartbeat
from cars_bot.run_store.ending import end_from_outside
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.run_store.protocol import RunStore
from raw_consumer import alarm
from raw_consumer.child import Child
from raw_consumer.shared_slot import Slot

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1  # seconds between two looks at the children
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
CRASH_LOOP_PAUSE = 0.5  # seconds at least between two starts of a child that dies


Work = Callable[[str, Slot], None]
Report = Callable[[list[Child]], None]


class Pool:
    """Keeps `concurrency` children at work.

    Args:
        work: the child's work, called with its name and its slot. When it returns, the child ends and is replaced.
        stop_seconds: the time for the jobs in hand after SIGTERM or SIGINT.
        report: called about once a second with the children, for `kit inspect`.
        store: the place where attempts are recorded.
    """

    def __init__(
        self,
        name: str,
        concurrency: int,
        work: Work,
        stop_seconds: float,
        report: Report,
        store: RunStore = DATABASE_STORE,
    ) -> None:
        memory = mmap.mmap(-1, ctypes.sizeof(Slot) * concurrency)  # anonymous: forks share it
        slots = (Slot * concurrency).from_buffer(memory)
        self.children = [Child(f"{name}/{number}", slot) for number, slot in enumerate(slots, start=1)]
        self.work, self.stop_seconds, self.report, self.store = work, stop_seconds, report, store
        self.deadline = math.inf  # finite while the worker stops
        self.stopping = self.cut_short = False
        self.parent_lives, self.held_by_parent = os.pipe()
        self.wake_up, wake_up_end = os.pipe()
        os.set_blocking(wake_up_end, False)
        signal.set_wakeup_fd(wake_up_end)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)  # its number comes through `wake_up`

    def run(self) -> bool:
        """Work until stopped. Return True if each job in hand was finished."""
        second = 0.0
        while not self.stopping or self._living():
            if not self.stopping:
                self._fork_missing()
            if select.select([self.wake_up], [], [], LOOK_SECONDS)[0]:
                for number in os.read(self.wake_up, 64):
                    self._on_signal(number)
            self._reap()
            self._enforce_hard_limits()
            if time.monotonic() > second + 1:
                second = time.monotonic()
                self._kill_revoked()
                self.report(self.children)
            if time.monotonic() > self.deadline:
                self._stop(cold=True)
        return not self.cut_short

    def _living(self) -> list[Child]:
        return [child for child in self.children if child.pid]

    # feature: warm and cold shutdown
    def _on_signal(self, number: int) -> None:
        if number in STOP_SIGNALS:
            self._stop(cold=number == signal.SIGQUIT or self.stopping)

    def _stop(self, cold: bool) -> None:
        """Let the jobs in hand finish. With `cold`, end at once: the broker delivers their messages again."""
        log.info("stopping: %s", "now" if cold else f"the jobs in hand have {self.stop_seconds:.0f} s to finish")
        self.stopping, self.cut_short = True, cold
        self.deadline = math.inf if cold else time.monotonic() + self.stop_seconds
        for child in self._living():
            os.kill(child.pid, signal.SIGKILL if cold else signal.SIGTERM)

    # end

    def _fork_missing(self) -> None:
        for child in self.children:
            if child.pid or time.monotonic() < child.not_before:
                continue
            child.slot.began, child.slot.jobs_done, child.born = 0.0, 0, time.monotonic()
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # until parent and child are told apart
            child.pid = os.fork()
            if child.pid == 0:
                self._run_child(child)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _run_child(self, child: Child) -> NoReturn:
        """Run a child from its fork to its exit."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            os.close(self.held_by_parent)
            threading.Thread(target=self._die_with_parent, name="parent", daemon=True).start()
            for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
            signal.signal(signal.SIGALRM, lambda *_: alarm.ring(child.slot))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            self.work(child.name, child.slot)
            ledger.flush()
            code = 0
        except BaseException:
            log.exception("%s ends", child.name)
        finally:
            os._exit(code)  # without the parent's cleanup

    def _die_with_parent(self) -> None:
        """End when the parent's end of the pipe closes: an orphan would have no limits."""
        os.read(self.parent_lives, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    # feature: lost-child handling
    def _reap(self) -> None:
        for child in self._living():
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            child.pid = 0 if pid else child.pid
            if status == 0:  # it lives, or has ended well
                continue
            code = os.waitstatus_to_exitcode(status)
            log.warning("%s (pid %d) died with %d", child.name, pid, code)
            if child.slot.began:
                with heartbeat.database_if_it_is_there():
                    self.store.record_loss(
                        child.slot.run_id.decode(), "raw", pid, child.name, f"its process ended with {code}"
                    )
            child.not_before = child.born + CRASH_LOOP_PAUSE

    # end

    # feature: soft and hard time limits
    def _enforce_hard_limits(self) -> None:
        for child in self._living():
            job = child.in_hand()
            if job and time.monotonic() > job.began + job.hard_limit:
                log.warning("%s is past its hard limit of %.0f s", child.name, job.hard_limit)
                with heartbeat.database_if_it_is_there():
                    error = f"TimeLimitExceeded: killed after {job.hard_limit:.0f} s"
                    end_from_outside(job.run_id, "raw", error, child.name, self.store)
                self._kill_if_still_at(child, job.began)

    # end

    # feature: revoke
    def _kill_revoked(self) -> None:
        for child in self._living():
            job = child.in_hand()
            if job and time.monotonic() > job.began + 1:
                with heartbeat.database_if_it_is_there():
                    if self.store.is_revoked(job.run_id):
                        self._kill_if_still_at(child, job.began)

    # end

    def _kill_if_still_at(self, child: Child, began: float) -> None:
        if child.is_still_at(began):
            os.kill(child.pid, signal.SIGKILL)
