"""Gathering of a record: the rows, events and effects of an ended comparison, put together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from cars_bot import database, ledger
from cars_bot.comparisons import rows
from cars_bot.comparisons.attempts import Attempt, Event, attempts_of, cut_at_the_kill, from_row, with_the_first
from cars_bot.comparisons.messages import Message
from cars_bot.comparisons.record import Record
from cars_bot.comparisons.rows import Comparison
from cars_bot.database.models import effects, runs
from cars_bot.processes import clock

_NOT_RECORDED = ("holder", "ended_as", "comparison")


def gather(
    comparison: Comparison,
    seen: Iterable[ledger.Event],
    environment: dict[str, Any],
    usage: dict[str, dict[str, float]] | None = None,
    messages: dict[str, list[Message]] | None = None,
) -> Record:
    """Return the record of a comparison.

    Args:
        seen: the events of the ledger since the comparison's start, also those of other runs.
        usage: the CPU seconds and the memory of each lane's workers, where they are known.
        messages: all messages that the broker got on a lane, for the lanes where none is missing.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    found = rows.runs_of(comparison.id)
    ids = {run["id"] for run in found}
    events = sorted((_event(event) for event in seen if event.run in ids), key=lambda event: event.at)
    of_run: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        of_run[event.run].append(event)
    attempts: list[Attempt] = []
    lines, complete = [], True
    parents = {run["id"]: run["parent"] for run in found}
    for run in found:
        its = with_the_first(attempts_of(of_run[run["id"]]), of_run[run["id"]], run)
        its = cut_at_the_kill(its, comparison.marks)
        if len(its) < run["attempt"]:
            complete = False
            its = its or from_row(run)
        attempts += its
        lines.append(_line(run, parents, of_run[run["id"]], its, comparison.request.countdown))
    about = {
        "id": comparison.id,
        "request": comparison.request.model_dump(mode="json"),
        "created_at": comparison.created_at,
        "started_at": comparison.started_at or comparison.created_at,
        "ended_at": _last_moment(found, comparison),
        "stopped_at": comparison.stopped_at,
        "submitted": comparison.submitted,
        "marks": comparison.marks,
        "usage": usage or {},
        "messages_of": sorted(messages or {}),  # the lanes whose messages were copied; none is missing
        "complete": complete,  # false: the ledger has lost events, so some attempts are unknown
    }
    copies = [each for copied in (messages or {}).values() for each in copied if each.run in ids]
    return Record(about, environment, lines, attempts, events, _effects(comparison.id), copies)


def _last_moment(found: list[dict[str, Any]], comparison: Comparison) -> float:
    """Return the time of the last end or fault. While a run is open: now, or the deadline."""
    if not found or any(run["finished_at"] is None for run in found):
        return min(clock.now(), (comparison.started_at or clock.now()) + comparison.request.deadline)
    ends = [run["finished_at"] for run in found] + [mark["at"] for mark in comparison.marks]
    return float(max(ends))


def _line(
    run: dict[str, Any], parents: dict[str, str | None], events: list[Event], attempts: list[Attempt], countdown: float
) -> dict[str, Any]:
    """Return a run as the record has it, with the parts of its time."""
    submission = run["id"]
    while (parent := parents.get(submission)) in parents and parent is not None:
        submission = parent
    shown = {name: value for name, value in run.items() if name not in _NOT_RECORDED}
    own_countdown = countdown if submission == run["id"] else 0.0
    times = parts(run, attempts, own_countdown)
    return (
        shown
        | times
        | {
            "submission": submission,
            "redelivered": sum(event.event == "redelivered" for event in events),
        }
    )


def parts(run: dict[str, Any], attempts: list[Attempt], countdown: float = 0.0) -> dict[str, float | None]:
    """Return where the time of a run went: it waited, a job worked, it paused between attempts. None: unknown, or open.

    The countdown belongs to no part.
    """
    if run["finished_at"] is None:
        return dict.fromkeys(("waiting", "working", "pausing", "total"))
    total = run["finished_at"] - run["accepted_at"]
    unknown = len(attempts) < run["attempt"] or any(attempt.ended_at is None for attempt in attempts)
    if unknown:
        return {"waiting": None, "working": None, "pausing": None, "total": total}
    if not attempts:
        return {"waiting": total - countdown, "working": 0.0, "pausing": 0.0, "total": total}
    ends = [attempt.ended_at or 0.0 for attempt in attempts]
    begins = [attempt.started_at for attempt in attempts]
    return {
        "waiting": max(0.0, begins[0] - run["accepted_at"] - countdown),
        "working": sum(end - begin for begin, end in zip(begins, ends, strict=True)),
        "pausing": sum(max(0.0, begin - end) for end, begin in zip(ends, begins[1:], strict=False)),
        "total": total,
    }


def _event(event: ledger.Event) -> Event:
    return Event(**{name: value for name, value in asdict(event).items() if name != "cursor"})


def _effects(comparison: str) -> list[dict[str, Any]]:
    wanted = (
        select(effects.c.run_id, effects.c.kind, effects.c.key, effects.c.made_at)
        .join(runs, runs.c.id == effects.c.run_id)
        .where(runs.c.comparison == comparison)
        .order_by(effects.c.id)
    )
    with database.statements() as connection:
        return [
            {"run": row.run_id, "kind": row.kind, "key": row.key, "at": row.made_at}
            for row in connection.execute(wanted)
        ]
