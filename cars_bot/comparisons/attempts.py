"""Attempts of a run, from the events of the ledger: which worker began when, and the end of each attempt."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

# The event that ends an attempt, and the outcome that it stands for.
ENDS = {
    "succeeded": "done",
    "failed": "failed",
    "expired": "expired",
    "revoked": "revoked",
    "retry": "retry",
    "lost": "lost",
}


@dataclass(frozen=True)
class Event:
    """An event of the ledger, as the record has it. Times are in seconds since 1970."""

    at: float
    event: str
    run: str
    lane: str
    worker: str = ""
    attempt: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Attempt:
    """An attempt of a run. `ended_at` is None, and the outcome "open", while no event has ended it.

    If a worker was killed with its child, no process reports the end. Then `ended_at` is the time of the next event,
    and the outcome is "cut off".
    """

    run: str
    lane: str
    number: int
    worker: str
    started_at: float
    ended_at: float | None = None
    outcome: str = "open"


def attempts_of(events: Iterable[Event]) -> list[Attempt]:
    """Return the attempts of one run in order. `events` are the run's events, in any order."""
    found: list[Attempt] = []
    for event in sorted(events, key=lambda event: event.at):
        is_open = bool(found) and found[-1].ended_at is None
        if event.event == "started":
            if is_open:
                found[-1] = replace(found[-1], ended_at=event.at, outcome="cut off")
            number = event.attempt or len(found) + 1
            found.append(Attempt(event.run, event.lane, number, event.worker, event.at))
        elif is_open and event.event == "redelivered":
            found[-1] = replace(found[-1], ended_at=event.at, outcome="cut off")
        elif is_open and event.event in ENDS:
            found[-1] = replace(found[-1], ended_at=event.at, outcome=ENDS[event.event])
        elif found and event.event == "lost" and found[-1].outcome == "cut off":
            found[-1] = replace(found[-1], outcome="lost")
        elif found and found[-1].outcome == "cut off" and event.event in ENDS and event.worker == found[-1].worker:
            # A copy was delivered beside it, and its own worker went on.
            found[-1] = replace(found[-1], ended_at=event.at, outcome=ENDS[event.event])
    return found


def with_the_first(found: list[Attempt], events: Iterable[Event], run: dict[str, Any]) -> list[Attempt]:
    """Return the attempts with the first one, if it is missing.

    A killed process takes its last events with it. But the run's row has the start of its first attempt, and the event
    "lost" names the worker.
    """
    if not found or found[0].number != 2 or run["started_at"] is None or run["started_at"] >= found[0].started_at:
        return found
    after = [event for event in sorted(events, key=lambda event: event.at) if event.at > run["started_at"]]
    loss = next((event for event in after if event.event == "lost"), None)
    end = next((event.at for event in after if event.event in ("redelivered", "lost")), found[0].started_at)
    worker = loss.worker if loss else ""
    return [Attempt(run["id"], run["lane"], 1, worker, run["started_at"], end, "lost"), *found]


def cut_at_the_kill(found: list[Attempt], marks: list[dict[str, Any]]) -> list[Attempt]:
    """Return the attempts; those of a killed worker end at the kill, and not when somebody noticed it."""
    kills = [mark for mark in marks if mark["what"] == "kill-worker" and mark.get("worker")]
    return [_cut(attempt, kills) for attempt in found]


def _cut(attempt: Attempt, kills: list[dict[str, Any]]) -> Attempt:
    if attempt.outcome not in ("lost", "cut off") or attempt.ended_at is None:
        return attempt
    for kill in kills:
        its_worker = attempt.lane == kill["lane"] and attempt.worker.partition("/")[0] == kill["worker"]
        if its_worker and attempt.started_at <= kill["at"] <= attempt.ended_at:
            return replace(attempt, ended_at=kill["at"], outcome="lost")
    return attempt


def from_row(run: dict[str, Any]) -> list[Attempt]:
    """Return the attempt that a run's row shows. It is used if the ledger has no event of the run."""
    if run["started_at"] is None or run["attempt"] != 1:
        return []
    outcome = "open" if run["finished_at"] is None else run["state"].lower()
    return [Attempt(run["id"], run["lane"], 1, run["worker"] or "", run["started_at"], run["finished_at"], outcome)]
