"""The checker: it compares the accepted runs with their ends, and says if the promises were kept. It is pure.

    true      everything accepted has ended as it should, each effect was made once, nothing unexpected ran
    false     something was lost, doubled, unexpected, went backwards, or grew without bound; `problems` says what
    unknown   nothing wrong was found, but evidence is missing: nothing was accepted, or the ledger is not there

`trial.py` collects the evidence. A request that broke is neither accepted nor refused: its key says afterwards which.
A call to the outside world whose reply was lost is not a failure. Its run ends as "outcome unknown" and is counted as
such. Its effect was made at most once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ENDED = ("DONE", "FAILED", "EXPIRED", "REVOKED")
END_EVENTS = {"succeeded": "DONE", "failed": "FAILED", "expired": "EXPIRED", "revoked": "REVOKED"}
OUTCOME_UNKNOWN = "OutcomeUnknown"  # the error of a run with an unknown outcome begins with this


@dataclass(frozen=True)
class Row:
    """A run, as the database has it. Times are seconds since 1970."""

    id: str
    state: str
    attempt: int = 1
    error: str | None = None
    finished_at: float | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Event:
    """A line of the ledger."""

    at: float
    run: str
    event: str


@dataclass
class History:
    """Everything that is known of one trial on one lane.

    Attributes:
        `accepted`: ids of the runs whose acceptance was answered.
        `broken`: requests that got no answer: key -> the ids stored under it. There are none if it never arrived.
        `rows`: the runs of the trial in the database, when it seemed to be over.
        `later`: the same, after a further run had gone through the whole lane.
        `effects`: (key, run id) of every effect in the database.
        `outside`: a name for each effect seen in the outside world.
        `events`: the ledger, or None if it could not be read.
        `healed_at`: the time when the fault was over.
        `effect_each`: whether a run that is done must have had exactly one effect.
        `ledger_lost`: the fault is the loss of the ledger.
        `overgrown`: the things that have grown beyond their bound, in words.
    """

    accepted: Iterable[str]
    rows: Sequence[Row]
    later: Sequence[Row]
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    effects: Sequence[tuple[str, str]] = ()
    outside: Sequence[str] = ()
    events: Sequence[Event] | None = ()
    healed_at: float = 0.0
    effect_each: bool = True
    ledger_lost: bool = False
    overgrown: Sequence[str] = ()


@dataclass
class Verdict:
    """The answer, and the counts behind it. `recovery` is the seconds from the heal to the end of the last run."""

    verdict: str = "true"
    accepted: int = 0
    done: int = 0
    failed: int = 0
    expired: int = 0
    revoked: int = 0
    lost: int = 0
    duplicated: int = 0
    unexpected: int = 0
    unknown: int = 0
    recovered: int = 0
    recovery: float = 0.0
    problems: list[str] = field(default_factory=list)

    def blame(self, problem: str) -> None:
        """Note a problem. From then on the verdict is false."""
        self.verdict = "false"
        self.problems.append(problem)

    def as_json(self) -> dict[str, Any]:
        """The verdict as a dictionary, for the report."""
        return asdict(self)


def check(history: History) -> Verdict:
    """Judge a trial."""
    verdict = Verdict()
    rows = {row.id: row for row in history.rows}
    expected = set(history.accepted).union(*history.broken.values())
    _ended(verdict, rows, expected)
    family = _with_next_runs(expected, history.rows)
    _nothing_else_ran(verdict, history, rows, family)
    _effects_once(verdict, history, rows, family)
    _never_backwards(verdict, history, rows)
    for growth in history.overgrown:
        verdict.blame(growth)

    ends = [row.finished_at for row in history.rows if row.finished_at is not None and row.id in family]
    verdict.recovered = sum(end > history.healed_at for end in ends)
    verdict.recovery = round(max([end - history.healed_at for end in ends] + [0.0]), 1)
    verdict.unknown += sum(not ids for ids in history.broken.values())
    if verdict.verdict == "true":
        if not expected:
            verdict.verdict, verdict.problems = "unknown", ["nothing was accepted, so nothing was tried"]
        elif not history.events and not history.ledger_lost:
            verdict.verdict, verdict.problems = "unknown", ["the ledger is gone, so nobody saw the order of things"]
    return verdict


def _ended(verdict: Verdict, rows: Mapping[str, Row], expected: set[str]) -> None:
    """C: accepted = done + failed + expired + revoked."""
    verdict.accepted = len(expected)
    for run_id in sorted(expected):
        row = rows.get(run_id)
        if row is None:
            verdict.lost += 1
            verdict.blame(f"run {run_id} was accepted and is nowhere")
        elif row.state not in ENDED:
            verdict.lost += 1
            verdict.blame(f"run {run_id} is still {row.state}")
        else:
            count = row.state.lower()
            setattr(verdict, count, getattr(verdict, count) + 1)
            verdict.unknown += (row.error or "").startswith(OUTCOME_UNKNOWN)


def _with_next_runs(expected: set[str], rows: Sequence[Row]) -> set[str]:
    """The expected runs, and all next runs that they asked for."""
    family, grown = set(expected), True
    while grown:
        more = {row.id for row in rows if row.parent in family} - family
        family |= more
        grown = bool(more)
    return family


def _nothing_else_ran(verdict: Verdict, history: History, rows: Mapping[str, Row], family: set[str]) -> None:
    """U: no run that nobody asked for, and no effect of a run that did not end well."""
    for row in history.rows:
        if row.id not in family:
            verdict.unexpected += 1
            verdict.blame(f"run {row.id} was asked for by nobody")
        elif row.parent in family and row.state not in ENDED:
            verdict.lost += 1
            verdict.blame(f"run {row.id}, a next step, is still {row.state}")
    for key, run_id in history.effects:
        if run_id not in family or (state := rows[run_id].state if run_id in rows else "unknown") != "DONE":
            what = "asked for by nobody" if run_id not in family else state
            verdict.unexpected += 1
            verdict.blame(f"effect {key!r} is of run {run_id}, which is {what}")


def _effects_once(verdict: Verdict, history: History, rows: Mapping[str, Row], family: set[str]) -> None:
    """E: one effect per key, and one for each run that is done."""
    for where, keys in (("", [key for key, _ in history.effects]), (" outside", history.outside)):
        for key, times in Counter(keys).items():
            if times > 1:
                verdict.duplicated += times - 1
                verdict.blame(f"effect {key!r} happened {times} times{where}")
    if history.effect_each:
        with_effect = {run_id for _, run_id in history.effects}
        for run_id in sorted(family & rows.keys() - with_effect):
            if rows[run_id].state == "DONE":
                verdict.lost += 1
                verdict.blame(f"run {run_id} is done and its effect is not there")


def _never_backwards(verdict: Verdict, history: History, rows: Mapping[str, Row]) -> None:
    """M: an ended run stays as it is, and it ended once."""
    later = {row.id: row for row in history.later}
    for row in history.rows:
        if (row.state in ENDED) != (row.finished_at is not None):
            verdict.blame(f"run {row.id} is {row.state} and its end is {row.finished_at}")
        if row.state in ENDED and later.get(row.id) != row:
            now = later[row.id].state if row.id in later else "gone"
            verdict.blame(f"run {row.id} had ended {row.state} and is {now} afterwards")
    told: dict[str, str] = {}
    for event in sorted(history.events or (), key=lambda event: event.at):
        if event.run not in rows:
            continue
        if event.run in told and event.event in {"retry", *END_EVENTS}:
            verdict.blame(f"run {event.run}: {event.event} came after {told[event.run]}")
        elif event.event in END_EVENTS:
            told[event.run] = event.event
    for run_id, event in told.items():
        if END_EVENTS[event] != rows[run_id].state:
            verdict.blame(f"run {run_id}: the ledger says {event}, the database {rows[run_id].state}")
