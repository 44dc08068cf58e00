"""Percentiles of times. A percentile that the number of values cannot support is left out."""

import math
from collections.abc import Sequence

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least the share `share` of the values does not exceed (nearest rank)."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Return n, the percentiles and the maximum. p95 needs 20 values, p99 needs 100: one of them lies beyond it."""
    ordered = sorted(values)
    supported = {name: share for name, share in SHARES.items() if len(ordered) * (1 - share) >= 1 - 1e-9}
    found = {name: round(percentile(ordered, share), 6) for name, share in supported.items()}
    return {"n": len(ordered), **found} | ({"max": round(ordered[-1], 6)} if ordered else {})
