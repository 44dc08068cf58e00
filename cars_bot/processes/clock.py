"""The time that decisions about runs use: one clock for all processes, whatever their own machine's clock says.

A run is accepted by one machine and started by another. If each used its own clock, a worker that is a day ahead
would find every run overdue, and one that is a day behind would wait a day for it. So all of them use a shared clock:
PostgreSQL's, or for SQLite, which has none, that of Redis. Nobody is asked for each decision. A process compares its
clock with the shared one now and then, while it uses the database anyway, and remembers the difference.

    shared clock  ── compare(): every 20 s, and when our own clock was set ──>  base
    now()         =  a clock that nobody can set  +  base

A difference that is too small to matter is not corrected: measuring it would be less exact than the clock is. When
the shared clock does not answer, what is known of it holds on; when it never has, our own clock is all there is.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

COMPARE_SECONDS = 20.0  # between two comparisons
TOLERANCE = 0.5  # seconds that a clock may be off and still count as right
JUMP = 0.25  # seconds; what a clock moves by itself within COMPARE_SECONDS is far less


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known; replaced as one, because threads read it while another compares."""

    base: float  # the shared clock minus the steady one
    own: float  # our own clock minus the steady one; it changes only when somebody sets our clock
    ahead: float  # seconds by which our own clock is ahead of the shared one
    compared: float | None  # by the steady clock; None: never
    answered: bool  # the shared clock has answered once


class SharedClock:
    """What one process knows of the shared clock.

    Args:
        own: this machine's clock, seconds since 1970.
        steady: seconds since some moment; it counts on whatever the time is set to, also while the machine sleeps.
    """

    def __init__(self, own: Callable[[], float], steady: Callable[[], float]) -> None:
        self._own, self._steady = own, steady
        difference = own() - steady()
        self._known = _Known(difference, difference, 0.0, None, False)
        self._comparing = threading.Lock()
        self._whose = ""

    def after_fork(self) -> None:
        """Called in a forked child: the thread that may have held the lock has stayed behind."""
        self._comparing = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970 by the shared clock. Nobody is asked: it costs as much as reading a clock."""
        return self._steady() + self._known.base

    def ahead(self) -> float:
        """Seconds by which our own clock is ahead of the shared one. Negative: behind. 0: right, or not known."""
        return self._known.ahead

    def whose(self) -> str:
        """Whose clock it is that all processes share; an empty string if it was never asked."""
        return self._whose

    def is_stale(self) -> bool:
        """Whether it is time to compare: never done, long ago, or our own clock was set meanwhile."""
        steady, known = self._steady(), self._known
        if known.compared is None or not 0 <= steady - known.compared <= COMPARE_SECONDS:
            return True
        return abs(self._own() - steady - known.own) > JUMP

    def compare(self, ask: Callable[[], float | None], whose: str) -> None:
        """Compare our clock with the shared one; one thread does, the others go on with what is known.

        Args:
            ask: gives the shared clock's time in seconds since 1970, or None if it cannot be asked. What it raises goes
                through, and nothing has changed.
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
        told = ask()
        after, known = self._steady(), self._known
        own = self._own() - after
        if told is None:
            base = known.base if known.answered else own
            self._known = _Known(base, own, own - base, after, known.answered)
            return
        middle, uncertain = (before + after) / 2, TOLERANCE + (after - before) / 2
        off = own + middle - told
        if abs(off) <= uncertain:
            off = 0.0
        elif abs(off - (own - known.base)) <= uncertain:
            off = own - known.base  # as before; the rest is how exactly it was measured
        if abs(off - known.ahead) > uncertain:
            log.warning(in_words(off, whose))
        self._known = _Known(own - off, own, off, after, True)


def in_words(off: float, whose: str) -> str:
    """The sentence about a clock that is `off` seconds ahead of the clock of `whose`."""
    if not off:
        return f"this machine's clock agrees with that of {whose} again"
    way = "ahead of" if off > 0 else "behind"
    return (
        f"this machine's clock is {abs(off):.1f} s {way} that of {whose}; runs go by the time of {whose}. "
        "Set this machine's clock: timedatectl set-ntp true"
    )


# CLOCK_BOOTTIME (Linux) counts on while the machine sleeps.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_clock = SharedClock(time.time, lambda: time.clock_gettime(_STEADY))
os.register_at_fork(after_in_child=_clock.after_fork)
now, ahead, whose, is_stale, compare = _clock.now, _clock.ahead, _clock.whose, _clock.is_stale, _clock.compare
