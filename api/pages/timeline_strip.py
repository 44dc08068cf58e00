"""Timeline strip on a run's page: a line whose parts show where the time of the run went."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.schemas import Happening
from cars_bot.comparisons.attempts import Event, attempts_of
from cars_bot.comparisons.for_people.card import duration
from cars_bot.processes import clock

WIDTH = 1_000.0
LEAST = 4.0  # a shorter part is drawn this wide, so that it can be seen


@dataclass(frozen=True)
class Part:
    """A part of a run's life. `x` and `width` are in units of `WIDTH`."""

    kind: str
    label: str
    seconds: float
    x: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Strip:
    """The parts in order, and the sum of each kind in `legend`. `description` is the text for a screen reader."""

    parts: list[Part]
    legend: list[Part]

    @property
    def description(self) -> str:
        """The legend as a sentence."""
        return "Where the time went: " + ", ".join(f"{part.label} {duration(part.seconds)}" for part in self.legend)


LABELS = {
    "outbox": "in the outbox",
    "queue": "in the broker",
    "held": "held by a worker",
    "work": "at work",
    "lost": "in an attempt that was lost",
    "wait": "waiting for a retry",
}
# The kind of the part that begins with an event. Events that begin no part are not here.
AFTER = {
    "accepted": "outbox",
    "published": "queue",
    "delivered": "held",
    "started": "work",
    "retry": "wait",
    "redelivered": "queue",
    "lost": "queue",
}
ENDS = {"succeeded", "failed", "expired", "revoked"}


def strip(events: Sequence[Happening], ended: bool, now: float | None = None) -> Strip:
    """Cut the time from the first event to the last into parts. While the run is open, the last part ends at `now`."""
    if not events:
        return Strip([], [])
    stretches: list[tuple[str, float, float]] = []
    kind, since = "outbox", events[0].at
    until = clock.now() if now is None else now
    lost = _starts_of_lost_attempts(events)
    for event in events:
        if event.event in ENDS:
            until = event.at
            break
        next_kind = AFTER.get(event.event)
        if event.event == "lost" and not event.worker:  # the broker lost the message, so the run is in the outbox again
            next_kind = "outbox"
        if next_kind == "work" and event.at in lost:
            next_kind = "lost"
        if next_kind is None or (event.event == "published" and kind in ("held", "work", "lost")):
            continue  # a confirm may come after the worker has begun
        if kind == "work" and event.event in ("delivered", "redelivered"):
            continue  # a copy, which leaves the attempt alone
        stretches.append((kind, since, event.at))
        kind, since = next_kind, event.at
    else:
        until = max(until, events[-1].at) if not ended else events[-1].at
    stretches.append((kind, since, until))
    return _drawn([stretch for stretch in stretches if stretch[2] > stretch[1]], events[0].at, until)


def _starts_of_lost_attempts(events: Sequence[Happening]) -> set[float]:
    """Return the times at which attempts began whose end nobody saw. Their time is told apart from work."""
    attempts = attempts_of(Event(each.at, each.event, "", "", each.worker, each.attempt) for each in events)
    return {attempt.started_at for attempt in attempts if attempt.outcome in ("lost", "cut off")}


def _drawn(stretches: list[tuple[str, float, float]], first: float, last: float) -> Strip:
    scale = WIDTH / max(last - first, 1e-6)
    parts, sums, x = [], dict.fromkeys(LABELS, 0.0), 0.0
    for kind, begin, end in stretches:
        width = max((end - begin) * scale, LEAST)
        parts.append(Part(kind, LABELS[kind], end - begin, round(x, 2), round(width, 2)))
        sums[kind] += end - begin
        x += width
    if x > WIDTH:  # the least widths have made the line too long
        parts = [
            Part(p.kind, p.label, p.seconds, round(p.x * WIDTH / x, 2), round(p.width * WIDTH / x, 2)) for p in parts
        ]
    return Strip(parts, [Part(kind, LABELS[kind], total) for kind, total in sums.items() if total > 0])
