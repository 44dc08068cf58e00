"""Card of a comparison: the rows of its table, for the page and for the terminal."""

from collections.abc import Iterator
from typing import Any, NamedTuple

COUNTS = ("accepted", "done", "failed", "unknown", "expired", "revoked", "lost", "retried", "redelivered", "duplicated")
ALWAYS = ("accepted", "done", "lost", "redelivered", "duplicated")  # shown also if they are 0
TIMES = ("waiting", "working", "pausing", "total")
SHARES = ("p50", "p95", "p99", "max")


class Figure(NamedTuple):
    """A row: a figure of the result, with a value for each lane. `share` is p50, p95, p99 or max, or "" for a count."""

    name: str
    share: str
    values: list[Any]


def figures(result: dict[str, Any]) -> Iterator[Figure]:
    """Yield the counts and the times that say something. `result` is what `result.compute` returns."""
    lanes = list(result["lanes"].values())
    for name in COUNTS:
        if name in ALWAYS or any(lane[name] for lane in lanes):
            yield Figure(name, "", [lane[name] for lane in lanes])
    for part in TIMES:
        if any(lane[part].get("max") for lane in lanes):
            for share in SHARES:
                if any(share in lane[part] for lane in lanes):
                    yield Figure(part, share, [lane[part].get(share) for lane in lanes])
