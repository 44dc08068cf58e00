"""Clock: the time for decisions about runs. All processes use one clock, and not the clocks of their machines.

One machine accepts a run, and another machine starts it. Suppose each used its own clock. A worker that is a day ahead
would find every run overdue. A worker that is a day behind would wait a day for each run. So all processes use a
shared clock. It is PostgreSQL's clock. SQLite has no clock, so with SQLite it is Redis's clock. A process does not ask
for each decision. From time to time, when it uses the database anyway, it compares its clock with the shared one. It
remembers the difference.

    shared clock  ── compare(): every 20 s, and when our own clock was set ──>  base
    now()         =  a clock that nobody can set  +  base

A very small difference is not corrected, because the measurement is less exact than the clock. If the shared clock does
not answer, the last known difference stays. If it has never answered, our own clock counts.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

COMPARE_SECONDS = 20.0  # between two comparisons
TOLERANCE = 0.5  # a clock that is wrong by fewer seconds counts as right
JUMP = 0.25  # seconds; by itself, a clock moves far less within COMPARE_SECONDS


@dataclass(frozen=True, slots=True)
class _Known:
    """All known values. They are replaced together, because threads read them during a comparison."""

    base: float  # the shared clock minus the steady one
    own: float  # our own clock minus the steady one; it changes only if somebody sets our clock
    ahead: float  # seconds by which our own clock is ahead of the shared one
    compared: float | None  # by the steady clock; None: never
    answered: bool  # the shared clock has answered once


class SharedClock:
    """The shared clock, as far as one process knows it.

    Args:
        own: this machine's clock, seconds since 1970.
        steady: seconds since some moment. It goes on if somebody sets the time, and while the machine sleeps.
    """

    def __init__(self, own: Callable[[], float], steady: Callable[[], float]) -> None:
        self._own, self._steady = own, steady
        difference = own() - steady()
        self._known = _Known(difference, difference, 0.0, None, False)
        self._comparing = threading.Lock()
        self._whose = ""

    def after_fork(self) -> None:
        """Make a new lock in a forked child, because the thread that held the old one exists only in the parent."""
        self._comparing = threading.Lock()

    def now(self) -> float:
        """Return the seconds since 1970 by the shared clock. It costs no more than a look at a local clock."""
        return self._steady() + self._known.base

    def ahead(self) -> float:
        """Return the seconds by which our clock is ahead of the shared one. Negative: behind. 0: right or unknown."""
        return self._known.ahead

    def whose(self) -> str:
        """Return the owner of the shared clock, such as Redis. An empty string: it was never asked."""
        return self._whose

    def is_stale(self) -> bool:
        """True if a comparison is due: there was none, the last is long ago, or somebody set our own clock."""
        steady, known = self._steady(), self._known
        if known.compared is None or not 0 <= steady - known.compared <= COMPARE_SECONDS:
            return True
        return abs(self._own() - steady - known.own) > JUMP

    def compare(self, ask: Callable[[], float | None], whose: str) -> None:
        """Compare our clock with the shared one. One thread does it, and the others use the known difference.

        Args:
            ask: returns the shared clock's time in seconds since 1970. None: it does not answer. Its errors pass
                through, and nothing is changed.
            whose: the shared clock's owner, for the log.
        """
        if self._comparing.acquire(blocking=self._known.compared is None):
            try:
                self._compare(ask, whose)
            finally:
                self._comparing.release()

    def _compare(self, ask: Callable[[], float | None], whose: str) -> None:
        self._whose = whose
        before = self._steady()
        shared = ask()
        after, known = self._steady(), self._known
        own = self._own() - after
        if shared is None:
            base = known.base if known.answered else own
            self._known = _Known(base, own, own - base, after, known.answered)
            return
        middle, uncertain = (before + after) / 2, TOLERANCE + (after - before) / 2
        off = own + middle - shared
        if abs(off) <= uncertain:
            off = 0.0
        elif abs(off - (own - known.base)) <= uncertain:
            off = own - known.base  # as before; the rest is an error of the measurement
        if abs(off - known.ahead) > uncertain:
            log.warning(in_words(off, whose))
        self._known = _Known(own - off, own, off, after, True)


def in_words(off: float, whose: str) -> str:
    """Return a sentence about our clock, which is `off` seconds ahead of the clock of `whose`."""
    if not off:
        return f"this machine's clock agrees with that of {whose} again"
    way = "ahead of" if off > 0 else "behind"
    return (
        f"this machine's clock is {abs(off):.1f} s {way} that of {whose}; runs go by the time of {whose}. "
        "Set this machine's clock: timedatectl set-ntp true"
    )


# CLOCK_BOOTTIME (Linux) goes on while the machine sleeps.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_clock = SharedClock(time.time, lambda: time.clock_gettime(_STEADY))
os.register_at_fork(after_in_child=_clock.after_fork)
now, ahead, whose, is_stale, compare = _clock.now, _clock.ahead, _clock.whose, _clock.is_stale, _clock.compare
