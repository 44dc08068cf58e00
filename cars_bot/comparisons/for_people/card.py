"""Card of a comparison: the rows of its table, for the page and for the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

COUNTS = ("accepted", "done", "failed", "unknown", "expired", "revoked", "lost", "retried", "redelivered", "duplicated")
ALWAYS = ("accepted", "done", "lost", "redelivered", "duplicated")  # shown also if they are 0
TIMES = ("waiting", "working", "pausing", "total")
SHARES = ("p50", "p95", "p99", "max")
Kind = Literal["count", "seconds", "rate", "bytes", "megabytes"]
LAST: dict[str, Kind] = {
    "per_second": "rate", "cpu_seconds": "seconds", "memory_bytes": "megabytes",
    "published_per_job": "rate", "delivered_per_job": "rate", "bytes_per_job": "bytes",
}  # fmt: skip
SOMETIMES = ("published_per_job", "delivered_per_job", "bytes_per_job")  # only if the messages were copied
Lane = dict[str, Any]  # the figures of a lane, as `result.compute` returns them


class Figure(NamedTuple):
    """A row: a figure of the result, with a value for each lane. None: unknown.

    `share` is p50, p95, p99 or max, or "" for a figure that is one number.
    """

    name: str
    share: str
    kind: Kind
    values: list[Any]


def figures(lanes: Sequence[Lane | None]) -> Iterator[Figure]:
    """Yield the figures that say something. None stands for a lane that took no part."""
    known = [lane for lane in lanes if lane is not None]
    for name in COUNTS:
        if name in ALWAYS or any(lane[name] for lane in known):
            yield Figure(name, "", "count", [lane and lane[name] for lane in lanes])
    for part in TIMES:
        if any(lane[part].get("max") for lane in known):
            for share in SHARES:
                if any(share in lane[part] for lane in known):
                    yield Figure(part, share, "seconds", [lane and lane[part].get(share) for lane in lanes])
    for name, kind in LAST.items():
        if name not in SOMETIMES or any(lane.get(name) is not None for lane in known):
            yield Figure(name, "", kind, [lane and lane.get(name) for lane in lanes])


def difference(first: float | None, second: float | None) -> float | None:
    """Return the second value minus the first. None: one of them is unknown."""
    return None if first is None or second is None else second - first


def text(value: float | None, kind: Kind) -> str:
    """Return a value as a person reads it: `202 ms`, `1.05`, `217 MB`, or a dash if it is unknown."""
    match value, kind:
        case None, _:
            return "–"
        case _, "seconds":
            return duration(value)
        case _, "bytes":
            return f"{value:,.0f} B"
        case _, "megabytes":
            return f"{value / 1e6:,.0f} MB"
        case _, "rate":
            return f"{value:,.2f}" if value < 10 else f"{value:,.1f}"
    return str(value)


def difference_text(value: float | None, kind: Kind) -> str:
    """Return a difference with its sign. It is `0` if it would be shown as nothing but zeros."""
    if value is None:
        return text(None, kind)
    size = text(abs(value), kind)
    if not set(size) & set("123456789"):
        return "0"
    return ("+" if value > 0 else "−") + size


def duration(seconds: float) -> str:
    """Return a duration: `120 ms`, `2.01 s`, `5 min 3 s`, `2 h 5 min`."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    large, small = divmod(int(seconds), 60) if seconds < 3_600 else divmod(int(seconds) // 60, 60)
    units = ("min", "s") if seconds < 3_600 else ("h", "min")
    return f"{large} {units[0]}" + (f" {small} {units[1]}" if small else "")
