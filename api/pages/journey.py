"""Journey of a run as a sequence diagram: an arrow from place to place for each step, from the sender to the effect."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.schemas import Happening
from cars_bot.comparisons.for_people.card import duration

SENDER, API, DATABASE, BROKER, WORKER, OUTSIDE = "Sender", "API", "Database", "Broker", "Worker", "Outside world"
LEFT, APART, TOP, HIGH = 118, 158, 44, 34  # pixels: the first line, two lines apart, the first arrow, two arrows apart
STORED = "done: the outcome is stored"
MOST = 60  # arrows; a run that was retried for hours has more


@dataclass(frozen=True)
class Arrow:
    """A step from one place to another. `at` is in seconds since 1970. A step without a time belongs to the one before.

    `is_trouble` marks a step that should not have been necessary.
    """

    source: str
    target: str
    text: str
    at: float | None = None
    is_trouble: bool = False


@dataclass(frozen=True)
class Diagram:
    """The arrows and the places with their position, in pixels. `left_out` arrows are not shown."""

    places: list[tuple[str, int]]
    arrows: list[tuple[Arrow, int, int, int]]  # the arrow, its beginning, its end, and its height
    left_out: int
    since: float

    @property
    def width(self) -> int:
        """The width of the drawing."""
        return self.places[-1][1] + APART // 2

    @property
    def height(self) -> int:
        """The height of the drawing."""
        return TOP + HIGH * len(self.arrows) + HIGH // 2

    @property
    def description(self) -> str:
        """The arrows as sentences, for a screen reader."""
        return " ".join(
            f"{arrow.source} to {arrow.target}{self.after(arrow)}: {arrow.text}." for arrow, *_ in self.arrows
        )

    def after(self, arrow: Arrow) -> str:
        """Return the time of an arrow since the first one, as a text."""
        return "" if arrow.at is None else f" after {duration(arrow.at - self.since)}"


def diagram(events: Sequence[Happening], effects: Sequence[tuple[float, str]], lane: str, from_a_run: bool) -> Diagram:
    """Return the drawing.

    Args:
        events: the events of the run, in order.
        effects: the moment and the kind of each effect of the run.
        from_a_run: whether another run asked for this one.
    """
    since = events[0].at if events else 0.0
    arrows = list(_all_arrows(events, lane, from_a_run, since))
    for at, kind in effects:
        place = next((n for n, arrow in enumerate(arrows) if arrow.text == STORED), len(arrows))
        arrows.insert(place, Arrow(WORKER, OUTSIDE, kind, at))
    used = {place for arrow in arrows for place in (arrow.source, arrow.target)}
    names = [name for name in (SENDER, API, DATABASE, BROKER, WORKER, OUTSIDE) if name in used]
    places = {name: LEFT + APART * number for number, name in enumerate(names)}
    drawn = [
        (arrow, places[arrow.source], places[arrow.target], TOP + HIGH * (number + 1))
        for number, arrow in enumerate(arrows[:MOST])
    ]
    return Diagram(list(places.items()), drawn, max(0, len(arrows) - MOST), since)


def _all_arrows(events: Sequence[Happening], lane: str, from_a_run: bool, since: float) -> Iterator[Arrow]:
    """Yield the arrows of all events. A publish comes before the delivery that it led to.

    A publisher hears of the confirm after the broker has delivered the message. So a quick worker begins before it.
    """
    published = [event.at for event in events if event.event == "published"]
    on_its_way = held = False
    for event in events:
        if event.event == "published" and on_its_way:
            on_its_way = False
            continue  # its arrow was drawn before the delivery
        if event.event in ("delivered", "started") and published and event.at < published[0] and not on_its_way:
            on_its_way = True
            yield Arrow(API, BROKER, f"publish; the confirm comes after {duration(published[0] - since)}")
        if event.event == "started" and lane != "inline" and not held:
            yield Arrow(BROKER, WORKER, "deliver", event.at)
            yield from _arrows(event, lane, from_a_run, untimed=True)
        else:
            yield from _arrows(event, lane, from_a_run)
        held = event.event in ("delivered", "redelivered")


def _arrows(event: Happening, lane: str, from_a_run: bool, untimed: bool = False) -> Iterator[Arrow]:
    worker, at, attempt = API if lane == "inline" else WORKER, event.at, event.attempt
    queued, detail = lane != "inline", f": {event.detail[:60]}" if event.detail else ""
    match event.event:
        case "accepted" if from_a_run:
            yield Arrow(worker, DATABASE, "an earlier run asks for it", at)
        case "accepted":
            yield Arrow(SENDER, API, "the job", at)
            yield Arrow(API, DATABASE, "store the run")
        case "published":
            yield Arrow(API, BROKER, "publish; confirmed", at)
        case "delivered":
            yield Arrow(BROKER, worker, "deliver; the worker holds it", at)
        case "started":
            yield Arrow(worker, DATABASE, f"take attempt {attempt or 1}", None if untimed else at)
        case "retry":
            yield Arrow(worker, DATABASE, f"will be retried{detail}", at, True)
            if queued:
                yield Arrow(worker, BROKER, "the message for the retry")
        case "redelivered":
            yield Arrow(BROKER, worker, "deliver again", at, True)
        case "lost" if event.worker:
            yield Arrow(worker, worker, "attempt lost: its process is gone", at, True)
        case "lost":
            yield Arrow(API, DATABASE, "its message is lost; publish again", at, True)
        case "succeeded":
            yield Arrow(worker, DATABASE, STORED, at)
            if queued:
                yield Arrow(worker, BROKER, "acknowledge")
        case "failed":
            yield Arrow(worker if event.worker or not queued else API, DATABASE, f"failed{detail}", at, True)
        case "superseded":
            yield Arrow(worker, BROKER, "acknowledge: another copy did the work", at)
        case "dead-lettered":
            yield Arrow(worker, BROKER, "a dead letter", at, True)
        case other:
            yield Arrow(API, DATABASE, f"{other}{detail}", at)
