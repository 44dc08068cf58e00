"""The API's lists and pages: their addresses with every filter, and the slowest of them."""

import json
import time
import urllib.request
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

from bench.__main__ import say

TIMES = 20  # requests for each list and page


def addresses() -> Iterator[str]:
    """Yield every list with every filter, at its beginning and far back, and the pages."""
    long_ago = "01000000-0000-7000-8000-000000000000"  # older than all runs: the end of the list
    lanes, states = ("", "raw", "inline"), ("", "PENDING", "IN_PROGRESS", "DONE", "FAILED", "REVOKED")
    for lane, state, job in product(lanes, states, ("", "debug_task", "sync_channels")):
        filters = {name: value for name, value in (("lane", lane), ("state", state), ("job", job)) if value}
        yield "/api/runs?" + urlencode({**filters, "limit": 200})
        yield "/api/runs?" + urlencode({**filters, "before": long_ago})
        yield "/?" + urlencode(filters)
    yield from ("/api/summary", "/api/jobs", "/parity", "/docs")


def slowest_page(api: str) -> tuple[str, float]:
    """Return the address with the slowest answers, and its 95th percentile in milliseconds."""
    newest = get(api, "/api/runs?limit=200")["runs"]
    asked = [*addresses(), f"/api/runs?parent={newest[0]['id']}", f"/api/runs?before={newest[-1]['id']}"]
    asked += [f"/runs/{newest[0]['id']}", f"/api/runs/{newest[0]['id']}", f"/api/runs/{newest[0]['id']}/events"]
    times: dict[str, list[float]] = {}
    for address in asked:
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            get(api, address, as_json=False)
            times.setdefault(address, []).append((time.perf_counter() - began) * 1000)
    p95 = {address: sorted(took[1:])[round(TIMES * 0.95) - 1] for address, took in times.items()}
    for address in sorted(p95, key=lambda each: -p95[each])[:3]:
        say(f"  {p95[address]:6.1f} ms  {address}")
    slowest = max(p95, key=lambda address: p95[address])
    return slowest, p95[slowest]


def get(api: str, address: str, as_json: bool = True) -> Any:
    """GET an address; return its answer, read as JSON unless `as_json` is false."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(api + address, timeout=60) as answer:
        body = answer.read()
    return json.loads(body) if as_json else body
