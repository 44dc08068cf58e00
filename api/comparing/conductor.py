"""Conductor: a thread that carries out comparisons, one after the other.

It submits the jobs of all lanes at their moments, causes the faults, and waits for the end. Then it writes the record.
All that it must remember is in the comparison's row. So after a restart of the API another conductor goes on.
"""

import logging
import threading
from contextlib import suppress

from api.comparing import conditions
from api.comparing.observation import Observation
from api.errors import Refused
from api.publishing import inline, relay, submission
from cars_bot import clients, ledger
from cars_bot.comparisons import record, result, rows, samples, submissions
from cars_bot.comparisons.picture import picture
from cars_bot.comparisons.rows import Comparison
from cars_bot.errors import CarsBotError, InvalidArguments, StorageUnavailable, UnknownJob
from cars_bot.processes import clock, leases

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # for a comparison that waits
STEP_SECONDS = 0.05  # while a comparison runs
AT_ONCE = 500  # jobs that one transaction submits on each lane


class Conductor(threading.Thread):
    """Carries out comparisons until stopped. Only the API that leads does so."""

    def __init__(self) -> None:
        super().__init__(name="conductor", daemon=True)
        self.stopping = threading.Event()
        self.awake = threading.Event()
        self.leader = leases.Leader("conductor")
        self.observation: Observation | None = None  # of the comparison that runs

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
        if "inline" in comparison.request.lanes:
            clients.preload("inline")  # as the workers did at their start
        self.observation = observation = Observation(comparison, since=comparison.started_at or clock.now())
        try:
            if comparison.state == "WAITING":
                rows.start(comparison)
            if self._until_its_end(comparison.id, posts, observation):
                conditions.lift(comparison)
                ended = rows.existing(comparison.id)
                found = observation.record(ended)
                record.write(record.folder_of(ended.id), found, result.compute(found), picture(found))
                rows.end(ended)
        finally:
            self.observation = None
            observation.close()

    def _until_its_end(self, comparison_id: str, posts: list[int], observation: Observation) -> bool:
        """Submit the jobs and cause the faults. Return False if another API has to go on."""
        while not self.stopping.is_set() and self.leader.leads():
            comparison = rows.existing(comparison_id)
            if comparison.stopped_at is not None:
                _revoke_open_runs(comparison)
                return True
            elapsed = clock.now() - (comparison.started_at or 0.0)
            try:
                _submit(comparison, elapsed, posts)
            except (InvalidArguments, UnknownJob) as error:  # the catalogue has changed since it was accepted
                log.warning("comparison %s: %s", comparison.id, error)
                return True
            observation.look()
            for mark in conditions.due(comparison, elapsed):
                rows.mark(comparison, [*comparison.marks, mark])
                comparison.marks.append(mark)
            if elapsed > comparison.request.deadline or _has_ended(comparison):
                return True
            self.stopping.wait(STEP_SECONDS)
        return False


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


_conductor: Conductor | None = None


def start() -> None:
    """Start the thread; once per process."""
    global _conductor
    _conductor = Conductor()
    _conductor.start()


def observation() -> Observation | None:
    """Return the observation of the comparison that runs. None if no comparison runs here."""
    return _conductor.observation if _conductor is not None else None


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
