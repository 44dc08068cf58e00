"""Percentiles of times. A percentile that the number of values cannot support is left out."""

import math
from collections.abc import Sequence

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Return n, the percentiles (nearest rank) and the maximum.

    p95 needs 20 values and p99 needs 100, so that one of them lies beyond it.
    """
    ordered = sorted(values)
    supported = {name: share for name, share in SHARES.items() if len(ordered) * (1 - share) >= 1 - 1e-9}
    found = {name: round(ordered[math.ceil(share * len(ordered)) - 1], 6) for name, share in supported.items()}
    return {"n": len(ordered), **found} | ({"max": round(ordered[-1], 6)} if ordered else {})
