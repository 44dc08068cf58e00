"""Policy: the rules for the attempts of a job. They are its retries, its backoff, its time limits and its rate.

The policy of each job stands in `catalogue.py`.
"""

from dataclasses import dataclass
from random import Random

MINUTE = 60.0


@dataclass(frozen=True)
class Rate:
    """At most `limit` calls in any `window` seconds, over all workers and lanes together.

    The services count a call when it arrives, in any minute. A worker has to connect before its first call. So this
    call arrives later after its permission than the next ones. The window is longer than a minute for this reason.
    """

    limit: int
    window: float = MINUTE + 2
    per: str | None = None  # each value of this argument (a channel) has its own budget; None: one budget for all


@dataclass(frozen=True)
class Policy:
    """The rules for the attempts of a job. All times are in seconds."""

    max_retries: int = 3
    backoff_base: float = 1.0
    backoff_max: float = 600.0
    soft_time_limit: float = 300.0
    hard_time_limit: float = 360.0
    rate: Rate | None = None
    keep_result: bool = True

    @property
    def max_attempts(self) -> int:
        """The first try and its retries."""
        return self.max_retries + 1

    def backoff(self, attempt: int, random: Random) -> float:
        """Return the seconds to wait after failed attempt number `attempt` (from 1).

        The pause doubles from `backoff_base` up to `backoff_max`: 1, 2, 4, 8 … s, at most 600. Jitter takes away up to
        half of it, at random. So runs that failed together do not come back together.
        """
        ceiling = min(self.backoff_max, self.backoff_base * 2.0 ** (attempt - 1))
        return ceiling * random.uniform(0.5, 1.0)
