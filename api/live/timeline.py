"""Timeline of a run: the events of the ledger, completed from the run's own row.

The ledger may have been trimmed or emptied, or Redis was away and nothing was written. The run's row has four moments
of its own. So there is always a timeline, and it says whether it is complete.
"""

import time
from collections.abc import Iterator

import redis
from sqlalchemy import select

from api.schemas import Happening, Timeline
from cars_bot import database, ledger
from cars_bot.database.models import effects
from cars_bot.processes import clock
from cars_bot.runs import Run

AFTERWARDS = 5.0  # seconds after a run's end; its last events may be written so late
SEARCH_SECONDS = 2.0  # the longest search in the ledger
ENDINGS = {
    "DONE": "succeeded",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "REVOKED": "revoked",
}
MAY_BE_MISSING = {"accepted", "published"}  # a run from a job, or sent by hand, has no such events


def of(run: Run) -> Timeline:
    """Return the known events of `run`, in order."""
    recorded, searched_all = _from_ledger(run)
    kinds = {event.event for event in recorded}
    missing = [event for event in _from_row(run) if event.event not in kinds]
    return Timeline(
        run=run.id,
        complete=searched_all and not {event.event for event in missing} - MAY_BE_MISSING,
        events=sorted([*recorded, *missing], key=lambda event: event.at),
    )


def effects_of(run: Run) -> list[tuple[float, str]]:
    """Return the moment and the kind of each effect of `run`, oldest first. Moments are in seconds since 1970.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    wanted = select(effects.c.made_at, effects.c.kind).where(effects.c.run_id == run.id).order_by(effects.c.id)
    with database.statements() as connection:
        return [(row.made_at, row.kind) for row in connection.execute(wanted)]


def _from_row(run: Run) -> Iterator[Happening]:
    yield Happening(at=run.accepted_at, event="accepted")
    if run.published_at is not None:
        yield Happening(at=run.published_at, event="published")
    if run.started_at is not None:
        yield Happening(at=run.started_at, event="started", worker=run.worker or "", attempt=1)
    if run.finished_at is not None:
        yield Happening(
            at=run.finished_at, event=ENDINGS[run.state], worker=run.worker or "", attempt=run.attempt,
            detail=run.error or "",
        )  # fmt: skip


def _happening(event: ledger.Event) -> Happening:
    return Happening(
        at=event.at, event=event.event, worker=event.worker, attempt=event.attempt, detail=event.detail
    )  # fmt: skip


def _from_ledger(run: Run) -> tuple[list[Happening], bool]:
    """Return the events of one run, and whether all were searched. The ledger is ordered by time, not by run."""
    found: list[Happening] = []
    until = clock.now() if run.finished_at is None else run.finished_at + AFTERWARDS
    give_up = time.monotonic() + SEARCH_SECONDS
    try:
        for event in ledger.history(ledger.connect(), since=run.accepted_at - 1.0):
            if event.run == run.id:
                found.append(_happening(event))
            if event.at > until:
                break
            if time.monotonic() > give_up:
                return found, False
    except redis.RedisError:
        return found, False
    return found, True
