"""Conditions of a comparison: each fault is caused when its moment has come, and marked with the exact time."""

import json
import logging
import urllib.request
from collections.abc import Iterator
from typing import Any

from api.comparing import kit_faults
from api.comparing.kit_faults import NobodyAtWork, NotCaused, NotYet
from cars_bot.comparisons import rows
from cars_bot.comparisons.request import Condition
from cars_bot.comparisons.rows import Comparison
from cars_bot.processes import clock
from cars_bot.settings import settings

log = logging.getLogger(__name__)

# A fault of the outside world, as its switchboard calls it. Each lane meets as many as the others.
OUTSIDE: dict[str, dict[str, Any]] = {
    "rate-limit": {"service": "telegram", "fault": "throttle", "retry_after": 2},
    "error": {"service": "openai", "fault": "error"},
    "hang": {"service": "openai", "fault": "hang"},
    "lose-reply": {"service": "telegram", "fault": "lose_reply"},
}
TIMEOUT = 5.0  # seconds


def pending(comparison: Comparison) -> list[tuple[int, Condition, str | None]]:
    """Return the faults that were not caused yet: the condition's place, the condition, and a lane or None for all."""
    caused = {(mark["condition"], mark["lane"]) for mark in comparison.marks}
    wanted = [
        (place, condition, lane)
        for place, condition in enumerate(comparison.request.conditions)
        for lane in _lanes(condition, comparison)
    ]
    return [each for each in wanted if (each[0], each[2]) not in caused]


def due(comparison: Comparison, elapsed: float) -> Iterator[dict[str, Any]]:
    """Cause each pending fault whose moment has come. Yield its mark.

    A fault that strikes a job also waits until a worker of its lane is at work on the comparison.

    A mark is {"condition": place, "at": seconds since 1970, "what", "lane", "worker", "detail": a sentence}.
    """
    for place, condition, lane in pending(comparison):
        if condition.at > elapsed:
            continue
        try:
            worker, detail = _caused(condition, lane, comparison.id)
        except NotYet:
            continue
        except NobodyAtWork:
            if not _is_over(comparison, lane):
                continue
            worker, detail = None, "not caused: no worker was at work any more"
        yield {
            "condition": place, "at": clock.now(), "what": condition.what, "lane": lane, "worker": worker,
            "detail": detail,
        }  # fmt: skip


def _is_over(comparison: Comparison, lane: str | None) -> bool:
    """Return whether the lane has done all jobs of the comparison."""
    return comparison.submitted == comparison.request.count and not rows.open_runs(comparison.id, 1, lane)


def _lanes(condition: Condition, comparison: Comparison) -> list[str | None]:
    if condition.what in kit_faults.OF_ALL_LANES:
        return [None]
    wanted = [condition.lane] if condition.lane else comparison.request.lanes
    return [lane for lane in wanted if lane != "inline" or condition.what in OUTSIDE]


def _caused(condition: Condition, lane: str | None, comparison: str) -> tuple[str | None, str]:
    """Cause a fault. Return the name of the worker that it strikes, or None, and a sentence."""
    try:
        if condition.what in OUTSIDE:
            fault = OUTSIDE[condition.what] | {"next": condition.calls, "seconds": condition.seconds}
            return None, _order(fault | {"sender": lane, "ordered_by": comparison})
        return kit_faults.cause(condition, lane, comparison)
    except NotCaused as error:
        return None, f"not caused: {error}"


def _order(fault: dict[str, Any]) -> str:
    """Order a fault at the stand-in for the outside world."""
    try:
        _ask("POST", body=fault)
    except OSError as error:
        raise NotCaused(f"the stand-in for the outside world does not answer: {error}") from error
    return f"the next {fault['next']} calls of this lane to {fault['service']}: {fault['fault'].replace('_', ' ')}"


def lift(comparison: Comparison) -> None:
    """Lift the faults of the outside world that met no call. The next comparison must not meet them."""
    if not any(condition.what in OUTSIDE for condition in comparison.request.conditions):
        return
    try:
        _ask("DELETE", f"?ordered_by={comparison.id}")
    except OSError as error:
        log.warning("comparison %s: its faults stay in the outside world: %s", comparison.id, error)


def _ask(method: str, query: str = "", body: dict[str, Any] | None = None) -> None:
    """Send a request to the switchboard of the outside world.

    Raises:
        OSError: it does not answer.
    """
    request = urllib.request.Request(  # noqa: S310 - the address is a checked setting
        f"{settings().outside_world_url}/_control/faults{query}", None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"}, method=method,
    )  # fmt: skip
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT):
        pass
