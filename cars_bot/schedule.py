"""When what is scheduled is due, and the id of its run: what Celery's Beat and the hand-written scheduler share.

A slot is a moment for which a schedule has a run: the minute that its crontab line names, or a multiple of its
seconds. The run's id is made from the lane, the schedule and the slot. However many schedulers there are, and
whatever their clocks say, all of them mean the same run by the same slot, and who comes second makes a copy of it.

Who looks when, and what is done with a run that is due, is the lanes' business.
"""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

from cars_bot.catalogue import Tick

MINUTE = timedelta(minutes=1)
LONGEST_GAP = timedelta(days=366)  # how far back a slot is looked for


def latest_slot(tick: Tick, now: float, after: float = 0.0) -> float | None:
    """The latest slot up to `now` and later than `after` (seconds since 1970), or None."""
    if tick.every:
        slot = now - now % tick.every
        return slot if slot > after else None
    minute = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
    oldest = max(datetime.fromtimestamp(after, UTC), minute - LONGEST_GAP)
    while minute > oldest:
        if matches(tick.crontab, minute):
            return minute.timestamp()
        minute -= MINUTE
    return None


def run_id(lane: str, schedule: str, slot: float) -> str:
    """The id of the lane's run for that schedule and slot: a UUIDv7 by the slot's time, its random part a hash."""
    digest = hashlib.sha256(f"{lane}:{schedule}@{slot:.3f}".encode()).digest()
    value = int(slot * 1000).to_bytes(6) + digest[:10]
    return str(uuid.UUID(int=int.from_bytes(value) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def matches(crontab: str, at: datetime) -> bool:
    """Whether the line (minute hour day month weekday; each `*`, `*/n`, `a`, `a-b` or `a,b`) names the minute `at`."""
    minute, hour, day, month, weekday = crontab.split()
    values = (minute, at.minute, 0), (hour, at.hour, 0), (month, at.month, 1)
    on_day, on_weekday = _field(day, at.day, 1), _field(weekday, at.isoweekday() % 7, 0)
    # The one odd rule of cron: when both days are given, either will do.
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
