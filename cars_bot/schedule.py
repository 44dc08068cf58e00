"""Schedule: the due times of a scheduled job, and the ids of its runs. Celery's Beat and our own scheduler share it.

A due time is a moment for which a schedule has a run: the minute that its crontab line names, or a multiple of its
seconds. The run's id is made from the lane, the schedule and the due time. So all schedulers give the same id to the
same due time, whatever their number and their clocks. The second scheduler only makes a copy.

Each lane decides when to look, and how to send a run that is due.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE = timedelta(minutes=1)
LONGEST_GAP = timedelta(days=366)  # a search for the latest due time goes back so far


@dataclass(frozen=True)
class Tick:
    """The times of a scheduled job: the five fields of a crontab line in UTC, or a number of seconds."""

    job: str
    crontab: str = ""
    every: float = 0.0

    def __str__(self) -> str:
        return self.crontab or f"every {self.every:g} s"


SCHEDULE: dict[str, Tick] = {
    "sync_channels": Tick("sync_channels", "*/1 * * * *"),
    "sync_subscribers": Tick("sync_subscribers", "*/5 * * * *"),
    "update_analytics": Tick("update_analytics", "0 * * * *"),
    "check_subscriptions": Tick("check_subscriptions", "0 0 * * *"),
    "collect_stats": Tick("collect_stats", "*/15 * * * *"),
    "cleanup_results": Tick("cleanup_old_results", "0 3 * * *"),
}


def latest_due(tick: Tick, now: float, after: float = 0.0) -> float | None:
    """Return the latest due time up to `now` and later than `after` (seconds since 1970), or None."""
    if tick.every:
        due = now - now % tick.every
        return due if due > after else None
    minute = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
    oldest = max(datetime.fromtimestamp(after, UTC), minute - LONGEST_GAP)
    while minute > oldest:
        if matches(tick.crontab, minute):
            return minute.timestamp()
        minute -= MINUTE
    return None


def run_id(lane: str, schedule: str, due: float) -> str:
    """Return the id of the run for that lane, schedule and due time: a UUIDv7 with that time and a hash."""
    digest = hashlib.sha256(f"{lane}:{schedule}@{due:.3f}".encode()).digest()
    value = int(due * 1000).to_bytes(6) + digest[:10]
    return str(uuid.UUID(int=int.from_bytes(value) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def matches(crontab: str, at: datetime) -> bool:
    """True if the line (minute hour day month weekday; each `*`, `*/n`, `a`, `a-b` or `a,b`) names the minute `at`."""
    minute, hour, day, month, weekday = crontab.split()
    values = (minute, at.minute, 0), (hour, at.hour, 0), (month, at.month, 1)
    on_day, on_weekday = _field(day, at.day, 1), _field(weekday, at.isoweekday() % 7, 0)
    # An odd rule of cron: if day and weekday are both given, one of them is enough.
    right_day = on_day or on_weekday if "*" not in (day[0], weekday[0]) else on_day and on_weekday
    return right_day and all(_field(*value) for value in values)


def _field(field: str, value: int, lowest: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            inside, start = True, lowest
        else:
            start = int(first)
            inside = start <= value <= int(last or first)
        if inside and (value - start) % int(step or 1) == 0:
            return True
    return False
