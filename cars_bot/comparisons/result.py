"""Result of a comparison: the figures of each lane, computed from the record and from nothing else.

The unit is a submission: one job as it was submitted, with all runs that follow from it. A post that is read and then
published is one submission of two runs.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from cars_bot.comparisons.percentiles import spread
from cars_bot.comparisons.record import SCHEMA, Record
from cars_bot.comparisons.verdict import verdict

OUTCOME_UNKNOWN = "OutcomeUnknown"  # the error of a run with an unknown outcome begins so
MESSAGES = ("published_per_job", "delivered_per_job", "bytes_per_job")
PARTS = ("waiting", "working", "pausing", "total")
Runs = Sequence[dict[str, Any]]


def compute(record: Record) -> dict[str, Any]:
    """Return the card: {"lanes": {lane: figures}, "verdict": a sentence, …}, ready for JSON."""
    about = record.comparison
    lanes = {lane: _figures(record, lane) for lane in about["request"]["lanes"]}
    return {
        "schema": SCHEMA,
        "id": about["id"],
        "name": about["request"]["name"],
        "started_at": about["started_at"],
        "ended_at": about["ended_at"],
        "marks": about["marks"],
        "complete": about["complete"],
        "lanes": lanes,
        "verdict": verdict(lanes, about["marks"]),
    }


def outcome(runs: Runs) -> str:
    """Return what a submission ended in: done, failed, unknown, expired, revoked, or lost if it has not ended."""
    states = {run["state"] for run in runs}
    if any(run["finished_at"] is None for run in runs):
        return "lost"
    if any((run["error"] or "").startswith(OUTCOME_UNKNOWN) for run in runs if run["state"] == "FAILED"):
        return "unknown"
    for state in ("FAILED", "EXPIRED", "REVOKED"):
        if state in states:
            return state.lower()
    return "done"


def _figures(record: Record, lane: str) -> dict[str, Any]:
    of_lane = [run for run in record.runs if run["lane"] == lane]
    by_submission: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in of_lane:
        by_submission[run["submission"]].append(run)
    submissions = list(by_submission.values())
    outcomes = Counter(outcome(runs) for runs in submissions)
    done = [runs for runs in submissions if outcome(runs) == "done"]
    return {
        "accepted": len(submissions),
        **{name: outcomes[name] for name in ("done", "failed", "unknown", "expired", "revoked", "lost")},
        "runs": len(of_lane),
        "retried": sum(any(run["attempt"] > 1 for run in runs) for runs in submissions),
        "redelivered": sum(run["redelivered"] for run in of_lane),
        "unbegun": sum(run["redelivered"] for run in of_lane if run["attempt"] <= 1),
        "duplicated": _duplicated(record, {run["id"] for run in of_lane}),
        **{part: spread(_sums(done, part)) for part in PARTS},
        "took": _took(done),
        **_messages(record, lane, len(submissions)),
        "cpu_seconds": record.comparison["usage"].get(lane, {}).get("cpu_seconds"),
        "memory_bytes": record.comparison["usage"].get(lane, {}).get("memory_bytes"),
        "per_second": _rate(done),
        "recovery": [_recovery(record, lane, mark) for mark in record.comparison["marks"]],
    }


def _sums(submissions: Sequence[Runs], part: str) -> list[float]:
    """Return the sum of a part of the time for each submission. Those with an unknown part are left out."""
    known = [runs for runs in submissions if all(run[part] is not None for run in runs)]
    if part == "total":
        return [max(run["finished_at"] for run in runs) - min(run["accepted_at"] for run in runs) for runs in known]
    return [sum(run[part] for run in runs) for runs in known]


def _duplicated(record: Record, ids: set[str]) -> int:
    """Return the number of effects beyond one for each idempotency key."""
    keys = Counter(effect["key"] for effect in record.effects if effect["run"] in ids)
    return sum(number - 1 for number in keys.values())


def _messages(record: Record, lane: str, submissions: int) -> dict[str, float | None]:
    """Return the messages to and from the broker for each submission, and their bytes. None: they were not copied."""
    if lane not in record.comparison["messages_of"] or not submissions:
        return dict.fromkeys(MESSAGES)
    copies = [message for message in record.messages if message.lane == lane]
    # Each attempt begins with a delivery. A delivery of a run that has ended begins none.
    delivered = sum(each.lane == lane for each in record.attempts)
    delivered += sum(event.event == "superseded" and event.lane == lane for event in record.events)
    size = sum(each.head_bytes + each.body_bytes for each in copies)
    return dict(zip(MESSAGES, (round(total / submissions, 2) for total in (len(copies), delivered, size)), strict=True))


def _took(done: Sequence[Runs]) -> float | None:
    """Return the seconds from the first acceptance to the last end."""
    if not done:
        return None
    first = min(run["accepted_at"] for runs in done for run in runs)
    return float(round(max(run["finished_at"] for runs in done for run in runs) - first, 6))


def _rate(done: Sequence[Runs]) -> float | None:
    took = _took(done)
    return round(len(done) / took, 3) if took else None


def _recovery(record: Record, lane: str, mark: dict[str, Any]) -> float | None:
    """Return the seconds from a fault to the end of the first attempt that began after it and was done.

    None: there was no such attempt, or the fault did not concern the lane.
    """
    if mark["lane"] not in (None, lane):
        return None
    ends = [
        attempt.ended_at
        for attempt in record.attempts
        if attempt.lane == lane and attempt.started_at >= mark["at"] and attempt.outcome == "done"
        if attempt.ended_at is not None
    ]
    return round(min(ends) - mark["at"], 6) if ends else None
