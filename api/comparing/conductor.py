"""Conductor: a thread that carries out comparisons, one after the other.

It submits the jobs of all lanes at their moments, causes the faults, and waits for the end. Then it writes the record.
All that it must remember is in the comparison's row. So after a restart of the API another conductor goes on.
"""

import logging
import threading
import time
from contextlib import suppress
from typing import Any

from pydantic_core import to_json

from api.comparing import conditions
from api.comparing.seen_events import SeenEvents
from api.comparing.usage import Usage
from api.errors import Refused
from api.publishing import inline, lanes, relay, submission
from cars_bot import clients, ledger
from cars_bot.comparisons import environment, record, result, rows, samples, submissions
from cars_bot.comparisons.gather import gather
from cars_bot.comparisons.picture import picture
from cars_bot.comparisons.rows import Comparison
from cars_bot.errors import CarsBotError, InvalidArguments, StorageUnavailable, UnknownJob
from cars_bot.processes import clock, leases

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # for a comparison that waits
PICTURE_SECONDS = 1.0  # a live picture is not older
SAMPLE_SECONDS = 0.5  # between two looks at the workers' CPU time and memory
STEP_SECONDS = 0.05  # while a comparison runs
AT_ONCE = 500  # jobs that one transaction submits on each lane
LAST_EVENTS_SECONDS = 3.0  # the events of an ended run may come so late


class Conductor(threading.Thread):
    """Carries out comparisons until stopped. Only the API that leads does so."""

    def __init__(self) -> None:
        super().__init__(name="conductor", daemon=True)
        self.stopping = threading.Event()
        self.awake = threading.Event()
        self.leader = leases.Leader("conductor")
        self.events: SeenEvents | None = None  # of the comparison that runs

    def run(self) -> None:
        """See the class. No error may end this thread."""
        while not self.stopping.is_set():
            self.awake.wait(LOOK_SECONDS)
            self.awake.clear()
            try:
                comparison = rows.current() if self.leader.leads() else None
                if comparison is not None:
                    self._carry_out(comparison)
            except CarsBotError as error:
                log.warning("conductor: %s", error)
            except Exception:
                log.exception("conductor")

    def _carry_out(self, comparison: Comparison) -> None:
        posts = samples.sale_posts() if submissions.needs_posts(comparison.request) else []
        around = environment.describe(lanes.versions())
        if "inline" in comparison.request.lanes:
            clients.preload()  # as the workers did at their start
        if comparison.state == "WAITING":
            rows.start(comparison)
        usage, sampled = Usage(comparison.request.lanes), time.monotonic()
        self.events = events = SeenEvents(since=rows.existing(comparison.id).started_at or 0.0)
        while not self.stopping.is_set() and self.leader.leads():
            comparison = rows.existing(comparison.id)
            if comparison.stopped_at is not None:
                _revoke_open_runs(comparison)
                break
            elapsed = clock.now() - (comparison.started_at or 0.0)
            try:
                _submit(comparison, elapsed, posts)
            except (InvalidArguments, UnknownJob) as error:  # the catalogue has changed since it was accepted
                log.warning("comparison %s: %s", comparison.id, error)
                break
            events.read()  # before a fault can empty Redis
            for mark in conditions.due(comparison, elapsed):
                rows.mark(comparison, [*comparison.marks, mark])
                comparison.marks.append(mark)
            if time.monotonic() > sampled + SAMPLE_SECONDS:
                usage.sample()
                sampled = time.monotonic()
            if elapsed > comparison.request.deadline or _has_ended(comparison):
                break
            self.stopping.wait(STEP_SECONDS)
        else:  # this API stops or leads no more; another one goes on
            return
        _record(comparison, events, usage, around)


def _submit(comparison: Comparison, elapsed: float, posts: list[int]) -> None:
    """Submit the jobs whose moment has come, on all lanes in one transaction."""
    request, upto = comparison.request, comparison.submitted
    while upto < request.count and request.arrivals.offset(upto) <= elapsed and upto - comparison.submitted < AT_ONCE:
        upto += 1
    if upto == comparison.submitted:
        return
    new = list(submissions.rows(request, comparison.id, range(comparison.submitted, upto), posts))
    if not rows.submit(comparison, new, upto):
        return
    for row in new:
        ledger.record("accepted", row["id"], row["lane"], at=row["accepted_at"])
    for lane in {row["lane"] for row in new}:
        relay.wake(lane)
    at_once = [row["id"] for row in new if row["lane"] == "inline"]
    if at_once:
        threading.Thread(target=_execute_inline, args=(at_once,), name="compare-inline", daemon=True).start()


def _execute_inline(ids: list[str]) -> None:
    for run_id in ids:
        try:
            inline.execute(run_id)
        except Exception:
            log.exception("inline run %s", run_id)


def _has_ended(comparison: Comparison) -> bool:
    """Return whether all jobs were submitted and have ended, and all faults were caused."""
    if comparison.submitted < comparison.request.count or conditions.pending(comparison):
        return False
    return not rows.open_runs(comparison.id, limit=1)


def _revoke_open_runs(comparison: Comparison) -> None:
    for run_id in rows.open_runs(comparison.id):
        with suppress(Refused):  # it has ended meanwhile
            submission.cancel(run_id)


def _record(comparison: Comparison, events: SeenEvents, usage: Usage, around: dict[str, Any]) -> None:
    """Write the record, and end the comparison. `around` is its environment."""
    usage.sample()
    give_up, pause = time.monotonic() + LAST_EVENTS_SECONDS, STEP_SECONDS
    while True:
        events.read()
        found = gather(comparison, events.found, around, usage.figures())
        if found.comparison["complete"] or time.monotonic() > give_up:
            break
        time.sleep(pause)
        pause *= 2  # each look reads all runs again
    record.write(record.folder_of(comparison.id), found, result.compute(found))
    rows.end(comparison)


def live_picture(comparison: Comparison) -> bytes:
    """Return the picture of a comparison that has not ended, as JSON. It is made at most once a second, for all pages.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    global _picture
    with _drawing:
        made_at, its_id, made = _picture
        if its_id != comparison.id or time.monotonic() > made_at + PICTURE_SECONDS:
            events = _conductor.events if _conductor is not None else None
            seen = list(events.found) if events is not None else []
            made = to_json(picture(gather(comparison, seen, {})))
            _picture = (time.monotonic(), comparison.id, made)
    return made


_conductor: Conductor | None = None
_drawing = threading.Lock()
_picture: tuple[float, str, bytes] = (0.0, "", b"")


def start() -> None:
    """Start the thread; once per process."""
    global _conductor
    _conductor = Conductor()
    _conductor.start()


def wake() -> None:
    """Wake the thread: there is a new comparison."""
    if _conductor is not None:
        _conductor.awake.set()


def stop() -> None:
    """Ask the thread to end. Another API, or the next one, goes on with the comparison."""
    if _conductor is None:
        return
    _conductor.stopping.set()
    _conductor.awake.set()
    _conductor.join(timeout=2.0)
    try:
        _conductor.leader.resign()
    except StorageUnavailable as error:
        log.warning("conductor: %s", error)
