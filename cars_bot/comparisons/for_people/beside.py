"""Two comparisons beside each other: what differs in their conditions, and each figure of both. Ready for JSON."""

from typing import Any

from cars_bot.comparisons import record, rows
from cars_bot.comparisons.for_people import card
from cars_bot.comparisons.for_people.differences import Conditions, differences
from cars_bot.errors import InvalidArguments

PERCENTILES = ("p50", "p95", "p99")


def beside(first: str, second: str) -> dict[str, Any]:
    """Return {"sides": [a, b], "differences": […], "lanes": […], "figures": […]} for the ids of two comparisons.

    A figure has, for each lane, [a's value, b's value, b minus a]. None: unknown, or the lane took no part.

    Raises:
        InvalidArguments: they are the same one, or one of them does not exist or has not ended.
        StorageUnavailable: the database does not answer.
    """
    if first == second:
        raise InvalidArguments("a comparison beside itself shows nothing; choose another one")
    conditions = [_ended(first), _ended(second)]
    results = [record.result(record.folder_of(each)) for each in (first, second)]
    a, b = (result["lanes"] for result in results)
    lanes = list({**a, **b})
    return {
        "sides": [{name: result[name] for name in ("id", "name", "verdict", "started_at")} for result in results],
        "differences": [{"name": name, "sides": [one, other]} for name, one, other in differences(*conditions)],
        "lanes": lanes,
        "figures": figures(lanes, a, b),
    }


def figures(lanes: list[str], a: dict[str, card.Lane], b: dict[str, card.Lane]) -> list[dict[str, Any]]:
    """Return the rows of the table. Where both have a lane, a percentile stands there only if both support it."""
    columns = [side.get(lane) for lane in lanes for side in (a, b)]
    found = []
    for name, share, kind, values in card.figures(columns):
        pairs = dict(zip(lanes, zip(values[::2], values[1::2], strict=True), strict=True))
        if share in PERCENTILES:
            pairs = {lane: _supported(pair, lane in a and lane in b) for lane, pair in pairs.items()}
            if all(value is None for pair in pairs.values() for value in pair):
                continue
        cells = {lane: [*pair, card.difference(*pair)] for lane, pair in pairs.items()}
        found.append({"name": name, "share": share, "kind": kind, "lanes": cells})
    return found


def _supported(pair: tuple[Any, Any], on_both: bool) -> tuple[Any, Any]:
    return (None, None) if on_both and None in pair else pair


def _ended(comparison: str) -> Conditions:
    found = rows.find(comparison) if comparison.isprintable() else None
    if found is None:
        raise InvalidArguments(f"there is no comparison {comparison[:40]!r}; /comparisons lists them all")
    if found.state != "ENDED":
        raise InvalidArguments(f"{found.request.name!r} has not ended yet; wait for its end, then try again")
    environment = record.environment(record.folder_of(comparison))
    return Conditions(found.request, found.stopped_at is not None, environment)
