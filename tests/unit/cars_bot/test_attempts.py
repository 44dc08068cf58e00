"""The holder of a run, on both databases: one of all copies takes an attempt, and it is lost only with its process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update

from cars_bot import database, execution, idempotency, ledger, outbox, runs
from cars_bot.catalogue import JOBS, QUEUES, Job
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.database.models import metadata, workers
from cars_bot.database.models import runs as table
from cars_bot.errors import OutcomeUnknown, Retryable, StorageUnavailable, Throttled, TimeLimitExceeded
from cars_bot.execution import execute
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, Outcome, PutAside, Refused, Retry, Wait
from cars_bot.policy import Policy
from cars_bot.processes import clock, heartbeat, liveness, names
from cars_bot.run_store import begin_attempt, ending, record_outcome
from cars_bot.run_store.in_database import DATABASE_STORE, DatabaseStore
from cars_bot.run_store.read_ahead import ReadAheadStore

JOB = JOBS["process_task"]
ARGS = {"task_num": 1, "timeout": 0.0}
ELSEWHERE = "ffffffff-1-10-20"  # a worker on another machine
pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that can hold a run."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def job_doing(function: Any, monkeypatch: pytest.MonkeyPatch, **policy: Any) -> Job:
    """A job with that function, in the catalogue."""
    job = Job("tried", function, QUEUES["default"], Policy(**policy))
    monkeypatch.setitem(JOBS, "tried", job)
    return job


def accepted(job: Job = JOB, lane: str = "raw", args: dict[str, Any] | None = None, **more: Any) -> str:
    with database.writing() as connection:
        return runs.accept(connection, job, lane, ARGS if args is None and job is JOB else args or {}, **more)


def row(run_id: str) -> runs.Run:
    with database.statements() as connection:
        found = runs.find(connection, run_id)
    assert found is not None
    return found


def change(run_id: str, **values: Any) -> None:
    with database.writing() as connection:
        connection.execute(update(table).where(table.c.id == run_id).values(values))


def message(run_id: str, job: Job = JOB, lane: str = "raw", redelivered: bool = False, **args: Any) -> Delivery:
    return Delivery(run_id, job.name, dict(ARGS if job is JOB else args), lane, redelivered)


def taken(run_id: str, holder: str = "") -> Attempt:
    """Take the run, as the named process if there is a name."""
    attempt = DATABASE_STORE.begin(message(run_id), JOB, "w")
    assert isinstance(attempt, Attempt)
    if holder:
        change(run_id, holder=holder)
    return attempt


def name_of(process: subprocess.Popen[bytes]) -> str:
    return f"{names.family()}/{names.process(process.pid)}"


def seen_alive(family: str, ago: float, since: float = 1_000.0) -> None:
    """Write a lease that was renewed so many seconds ago."""
    now = clock.now()
    with database.writing() as connection:
        connection.execute(
            workers.insert().values(family=family, name=family, lane="raw", host="h", pid=1, queues=[], held=[],
                                    since=now - since, renewed_at=now - ago)
        )  # fmt: skip


# ---------------------------------------------------------------- taking


def be_a_day_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play a process that has just started. Its own clock is a day ahead, and it has not compared its clock yet."""
    base = clock._clock._known.base + 86_400
    monkeypatch.setattr(clock._clock, "_known", clock._Known(base, base, 0.0, None, False))
    monkeypatch.setattr(clock._clock, "_own", lambda: time.time() + 86_400)
    monkeypatch.setattr(ledger, "time_of_redis", time.time)


def test_the_first_take_of_a_process_goes_by_the_shared_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = accepted()
    be_a_day_ahead(monkeypatch)

    assert isinstance(DATABASE_STORE.begin(message(run_id), JOB, "w/1"), Attempt)
    started = row(run_id).started_at
    assert started is not None and abs(started - time.time()) < 60


def test_a_soft_limit_that_strikes_when_the_attempt_is_taken_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, true = accepted(), begin_attempt.take

    def strikes(*what: Any) -> None:
        assert true(*what)
        raise TimeLimitExceeded

    monkeypatch.setattr(begin_attempt, "take", strikes)
    assert isinstance(execute(message(run_id), worker="w/1"), PutAside)
    assert (row(run_id).state, row(run_id).attempt) == ("FAILED", 1)


def reading_ahead(*following: str | None) -> tuple[ReadAheadStore, list[Delivery]]:
    """A store whose process has these runs' messages at hand, one after the other.

    The second value is the list of messages that it has given.
    """
    given: list[Delivery] = []
    left = iter(following)

    def next_one() -> Delivery | None:
        if (run_id := next(left, None)) is None:
            return None
        given.append(message(run_id))
        return given[-1]

    return ReadAheadStore(next_one), given


def test_a_run_is_ended_and_the_next_one_is_taken_at_once() -> None:
    first, second = accepted(), accepted()
    store, given = reading_ahead(second)

    assert isinstance(execute(message(first), worker="w/1", store=store), Done)
    if not database.is_file():  # on PostgreSQL, reading ahead would not be faster
        assert not given and row(second).state == "PENDING"
        return
    assert (row(first).state, row(second).state, row(second).attempt) == ("DONE", "IN_PROGRESS", 1)
    assert isinstance(execute(message(second), worker="w/2"), AtWork), "a copy of its message finds it held"
    assert isinstance(execute(given[0], worker="w/1", store=store), Done)
    assert (row(second).state, row(second).attempt) == ("DONE", 1)


def test_a_run_that_cannot_be_taken_ahead_is_looked_at_in_its_turn() -> None:
    first, second = accepted(), accepted(countdown=60.0)
    store, given = reading_ahead(second)

    assert isinstance(execute(message(first), worker="w/1", store=store), Done)
    assert row(second).state == "PENDING"
    assert isinstance(execute(given[0] if given else message(second), worker="w/1", store=store), Wait)


def test_an_end_that_is_not_stored_takes_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    if not database.is_file():
        pytest.skip("PostgreSQL ends one run and takes another one after the other")
    first, second = accepted(), accepted()
    store, _ = reading_ahead(second, second)
    attempt = taken(first)
    context = Context(message(first), attempt, "w/1")

    def fails(*_: Any) -> None:
        raise StorageUnavailable("away for a moment")

    with monkeypatch.context() as away:
        away.setattr(begin_attempt, "take_in", fails)
        with pytest.raises(StorageUnavailable):
            store.record(context, Done(None), clock.now())
    assert (row(first).state, row(second).state) == ("IN_PROGRESS", "PENDING")

    assert store.record(context, Done(None), clock.now()) is None
    assert (row(first).state, row(second).state) == ("DONE", "IN_PROGRESS")


def test_the_first_sign_of_life_goes_by_the_shared_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    be_a_day_ahead(monkeypatch)
    heartbeat.Heartbeat("w", "raw").renew()

    with database.statements() as connection:
        (found,) = connection.execute(select(workers.c.since, workers.c.renewed_at)).all()
    assert abs(found.since - time.time()) < 60 and abs(found.renewed_at - time.time()) < 60


def test_the_row_says_who_holds_a_run_before_its_job_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(context: Context) -> list[Any]:
        found = row(context.run_id)
        return [found.state, found.attempt, found.worker, found.holder]

    job = job_doing(look, monkeypatch)
    assert execute(message(accepted(job), job), worker="w/1") == Done(["IN_PROGRESS", 1, "w/1", names.me()])


def test_a_copy_of_a_run_at_work_is_dropped_and_one_that_came_back_waits() -> None:
    run_id = accepted()
    taken(run_id)

    assert execute(message(run_id), worker="w") == AtWork()
    waits = execute(message(run_id, redelivered=True), worker="w")
    assert isinstance(waits, Wait)
    assert 1.0 <= waits.after <= 15.0
    assert (row(run_id).state, row(run_id).attempt) == ("IN_PROGRESS", 1)


def test_redelivered_alone_is_no_death() -> None:
    run_id = accepted()

    assert isinstance(execute(message(run_id, redelivered=True), worker="w"), Done)
    assert row(run_id).attempt == 1


def test_what_is_not_due_comes_again_when_it_is_and_changes_nothing() -> None:
    run_id = accepted(countdown=100.0)
    outcome = execute(message(run_id), worker="w")

    assert isinstance(outcome, Wait)
    assert 99 < outcome.after <= 100
    assert (row(run_id).state, row(run_id).attempt) == ("PENDING", 0)


def test_what_waited_too_long_expires_and_what_was_begun_does_not() -> None:
    late, begun = accepted(), accepted()
    change(late, expires_at=1.0)
    change(begun, expires_at=1.0, state="RETRYING")

    assert execute(message(late), worker="w") == Expired()
    assert isinstance(execute(message(begun), worker="w"), Done)


def test_the_rows_arguments_are_the_truth_and_a_message_of_another_job_is_put_aside() -> None:
    run_id = accepted()
    other = Delivery(run_id, "process_task", {"task_num": 99, "timeout": 0.0}, "raw")

    assert isinstance(execute(Delivery(run_id, "debug_task", {}, "raw"), worker="w"), PutAside)
    assert row(run_id).state == "PENDING"
    assert execute(other, worker="w") == Done({"status": "success", "task_num": 1})


def test_a_run_sent_by_hand_is_taken_as_its_row_is_made() -> None:
    run_id = runs.new_id()
    attempt = DATABASE_STORE.begin(message(run_id), JOB, "w")

    assert isinstance(attempt, Attempt)
    assert (row(run_id).state, row(run_id).attempt, row(run_id).holder) == ("IN_PROGRESS", 1, names.me())
    assert execute(message(run_id), worker="w") == AtWork()


def test_arguments_that_fit_into_no_row_put_the_message_aside() -> None:
    nan = Delivery(runs.new_id(), "process_task", {"task_num": 1, "timeout": float("nan")}, "raw")
    outcome = execute(nan, worker="w")

    if database.engine().dialect.name == "postgresql":
        assert isinstance(outcome, PutAside)
    else:
        assert isinstance(outcome, Failed)


# ---------------------------------------------------------------- losing


def test_an_attempt_is_lost_with_its_process_and_the_next_one_is_taken(stranger: subprocess.Popen[bytes]) -> None:
    run_id = accepted()
    taken(run_id, holder=name_of(stranger))
    assert execute(message(run_id), worker="w") == AtWork()

    stranger.kill()  # nobody waits for its end, but a zombie works no more
    os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)
    assert isinstance(execute(message(run_id), worker="w"), Done)
    assert row(run_id).attempt == 2


def test_a_run_that_keeps_losing_its_worker_is_given_up() -> None:
    run_id = accepted()
    for number in range(JOB.policy.max_attempts):
        attempt = DATABASE_STORE.begin(message(run_id), JOB, "w")
        assert isinstance(attempt, Attempt)
        assert attempt.number == number + 1
        change(run_id, holder="")  # its parent saw it die

    outcome = execute(message(run_id, redelivered=True), worker="w")
    assert outcome == Failed(f"its worker was lost during attempt {attempt.number} of {attempt.number}")
    assert row(run_id).state == "FAILED"


def test_an_attempt_that_outlasts_every_limit_is_lost_though_its_process_lives() -> None:
    run_id = accepted()
    taken(run_id)
    change(run_id, overdue_at=clock.now() - 1)

    assert isinstance(execute(message(run_id), worker="w"), Done)


def test_a_worker_elsewhere_is_gone_when_its_lease_is_over_and_somebody_elses_is_not() -> None:
    holder = f"{ELSEWHERE}/11-21"
    assert liveness.is_gone(holder) is None, "it has no lease, so nobody can tell"
    seen_alive(ELSEWHERE, ago=60)
    assert liveness.is_gone(holder) is False, "the database may have been away"
    seen_alive("ffffffff-1-99-1", ago=1, since=5)
    assert liveness.is_gone(holder) is False, "it came back 5 s ago"
    seen_alive("ffffffff-1-98-1", ago=1, since=60)
    assert liveness.is_gone(holder) is True


def test_a_frozen_process_is_gone_when_its_workers_lease_is_over_and_not_before(
    stranger: subprocess.Popen[bytes],
) -> None:
    os.kill(stranger.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, stranger.pid, os.WSTOPPED | os.WNOWAIT)
    seen_alive("ffffffff-1-98-1", ago=1, since=60)
    seen_alive(names.family(), ago=1)
    assert liveness.is_gone(name_of(stranger)) is False
    with database.writing() as connection:
        connection.execute(
            update(workers).where(workers.c.family == names.family()).values(renewed_at=clock.now() - 60)
        )
    assert liveness.is_gone(name_of(stranger)) is True


def test_a_lease_without_a_gap_remembers_since_when() -> None:
    beat = heartbeat.Heartbeat("w", "raw", ["default"], held=lambda: ["a"])
    beat.renew()
    beat.renew()
    with database.statements() as connection:
        (lease,) = connection.execute(workers.select()).all()
    assert lease.renewed_at > lease.since
    assert liveness.held("raw") == {"a"}
    assert liveness.held("celery") == set()


# ---------------------------------------------------------------- outcomes


class Flaky(DatabaseStore):
    """A store whose storage is away for the first few calls."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, 0

    def record(self, context: Context, outcome: Done | Retry | Failed, began: float) -> Refused | None:
        self.asked += 1
        if self.asked <= self.times:
            raise StorageUnavailable("away")
        return super().record(context, outcome, began)


def test_an_outcome_in_hand_is_stored_again_and_its_job_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    job = job_doing(lambda context: done.append(context.attempt), monkeypatch)
    monkeypatch.setattr(execution, "STORE_AGAIN", (0.001, 0.01))
    run_id = accepted(job)

    assert execute(message(run_id, job), worker="w", store=Flaky(5)) == Done(None)
    assert (done, row(run_id).state) == ([1], "DONE")


def test_a_soft_limit_that_strikes_while_an_outcome_is_stored_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def strike(*_: object) -> None:
        raise TimeLimitExceeded

    job = job_doing(lambda context: "in hand", monkeypatch)
    monkeypatch.setattr(execution, "STORE_AGAIN", (0.2, 0.2))
    run_id = accepted(job)
    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        assert execute(message(run_id, job), worker="w", store=Flaky(3)) == Done("in hand")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert row(run_id).state == "DONE"


def test_a_process_taken_for_dead_brings_a_success_that_counts_and_a_failure_that_does_not() -> None:
    first, second = accepted(), accepted()
    for run_id, outcome, refusal in ((first, Done(1), None), (second, Failed("late"), AtWork())):
        old = taken(run_id)
        change(run_id, holder="")
        taken(run_id)
        assert DATABASE_STORE.record(Context(message(run_id), old, "w"), outcome, 0.0) == refusal
    assert (row(first).state, row(first).attempt, row(second).state) == ("DONE", 2, "IN_PROGRESS")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda context: context.next("process_task", task_num="no number"), "InvalidArguments"),
        (lambda context: context.next("no_such_job"), "UnknownJob"),
        (lambda context: context.write(lambda connection: 1 / 0), "ZeroDivisionError"),
        (lambda context: context.effect("test", "k", {1, 2}), "not JSON serializable"),
        (lambda context: context.effect("test", "k", 10**400), "outcome cannot be stored"),
    ],
    ids=["arguments of the next run", "next job", "a write", "a set", "a number"],
)
def test_an_outcome_that_can_never_be_stored_ends_the_run_failed_at_once(
    make: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_doing(make, monkeypatch)
    run_id = accepted(job)
    outcome = execute(message(run_id, job), worker="w")

    if told == "outcome cannot be stored" and isinstance(outcome, Done):
        return  # this database can store it
    assert isinstance(outcome, Failed)
    assert told in outcome.error
    assert (row(run_id).state, row(run_id).attempt) == ("FAILED", 1)


def test_what_postgresql_refuses_is_told_with_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"username": "u", "title": "x" * 300, "active": True, "synced_at": 1.0}

    def write(connection: Any) -> None:
        connection.execute(metadata.tables["channels"].insert().values(long))

    job = job_doing(lambda context: context.write(write), monkeypatch)
    run_id = accepted(job)
    outcome = execute(message(run_id, job), worker="w")

    if database.engine().dialect.name == "sqlite":  # SQLite knows no lengths
        assert outcome == Done(None)
        return
    assert isinstance(outcome, Failed)
    assert "channels.title of 300 characters, over 256" in outcome.error
    assert (row(run_id).state, row(run_id).attempt) == ("FAILED", 1)


@pytest.mark.parametrize("bad", ["half an emoji \ud83d", "a NUL \0", "both \0\ud83d и кириллица 🚗"])
def test_characters_that_no_database_takes_are_replaced(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: Context) -> None:
        raise Retryable(bad)

    good = bad.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
    returning = job_doing(lambda context: {bad: [bad]}, monkeypatch)
    run_id = accepted(returning)
    assert isinstance(execute(message(run_id, returning), worker="w"), Done)
    assert (row(run_id).state, row(run_id).result) == ("DONE", {good: [good]})

    raising = job_doing(fail, monkeypatch, max_retries=0)
    run_id = accepted(raising)
    assert isinstance(execute(message(run_id, raising), worker="w"), Failed)
    assert row(run_id).state == "FAILED"
    assert good in row(run_id).error


# ---------------------------------------------------------------- told to wait


@pytest.mark.parametrize("told", [0.0, -5.0, float("nan"), float("inf"), 1e12, 0.5])
def test_told_to_wait_grows_and_comes_to_an_end_whatever_the_other_side_says(
    told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(context: Context) -> None:
        raise Throttled("busy", told)

    job = job_doing(throttled, monkeypatch)
    run_id = accepted(job)
    pauses: list[float] = []
    while isinstance(outcome := execute(message(run_id, job), worker="w"), Retry):
        pauses.append(outcome.after)
        assert (row(run_id).state, row(run_id).attempt) == ("RETRYING", 0), "it uses up no attempt"
        assert len(pauses) < 100, "there is no end"
        change(run_id, due_at=0.0)

    assert isinstance(outcome, Failed)
    assert "retry it later" in outcome.error
    assert sum(pauses) <= 3_600
    assert all(pause >= min(30.0, 2.0 ** (number - 1)) for number, pause in enumerate(pauses))
    assert (row(run_id).state, row(run_id).waits or 0) == ("FAILED", len(pauses))


# ---------------------------------------------------------------- claims


def publish(context: Context) -> int:
    detail, _ = idempotency.once(context, "message", "the key", lambda: {"message_id": 5})
    return int(detail["message_id"])


def test_an_effect_that_another_run_is_making_is_waited_for_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_doing(publish, monkeypatch)
    first, second = accepted(job), accepted(job)
    attempt = DATABASE_STORE.begin(message(first, job), job, "w")
    assert isinstance(attempt, Attempt)
    assert idempotency.claim("the key", first, attempt.number) is None

    waits = execute(message(second, job), worker="w")
    assert isinstance(waits, Retry)
    context = Context(message(first, job), attempt, "w")
    context.write(lambda connection: idempotency.close(connection, "the key", {"message_id": 5}))
    assert DATABASE_STORE.record(context, Done(5), 0.0) is None
    change(second, due_at=0.0)
    assert execute(message(second, job), worker="w") == Done(5)


def test_an_effect_whose_attempt_is_gone_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_doing(publish, monkeypatch)
    first, second = accepted(job), accepted(job)
    assert isinstance(DATABASE_STORE.begin(message(first, job), job, "w"), Attempt)
    idempotency.claim("the key", first, 1)
    change(first, holder="")

    for run_id in (second, first):
        outcome = execute(message(run_id, job), worker="w")
        assert isinstance(outcome, Failed)
        assert outcome.error.startswith(OutcomeUnknown.__name__)


# ---------------------------------------------------------------- the outbox


def test_the_celery_lane_is_given_only_what_is_due_and_the_raw_lane_all() -> None:
    waiting = {lane: accepted(lane=lane, countdown=100.0) for lane in ("celery", "raw")}
    with database.statements() as connection:
        given = {lane: [run.id for run in outbox.unpublished(connection, lane)] for lane in waiting}
    assert given == {"celery": [], "raw": [waiting["raw"]]}

    change(waiting["celery"], due_at=clock.now() - 0.01)
    with database.statements() as connection:
        assert [run.id for run in outbox.unpublished(connection, "celery")] == [waiting["celery"]]


@pytest.mark.parametrize(("seconds", "in_outbox"), [(1.0, False), (60.0, True)])
def test_a_long_retry_of_the_celery_lane_waits_in_the_outbox(
    seconds: float, in_outbox: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(context: Context) -> None:
        raise Throttled("busy", seconds)

    job = job_doing(throttled, monkeypatch)
    run_id = accepted(job, lane="celery")
    outbox.mark_published([run_id])
    assert isinstance(execute(message(run_id, job, "celery"), worker="w"), Retry)
    assert (row(run_id).published_at is None) is in_outbox


def test_what_is_lost_is_published_again_with_growing_pauses_and_then_given_up() -> None:
    run_id = accepted()
    outbox.mark_published([run_id])
    assert outbox.publish_again("raw") == ([], []), "it may still be on its way"
    for times in range(outbox.MAX_REPUBLISHED):
        pause = outbox.GRACE_SECONDS * 2**times
        change(run_id, published_at=clock.now() - pause + 5, due_at=0.0)
        assert outbox.publish_again("raw") == ([], []), f"too early after {times} times"
        change(run_id, published_at=clock.now() - pause - 1)
        assert outbox.publish_again("raw") == ([run_id], [])

    change(run_id, published_at=1.0)
    assert outbox.publish_again("raw") == ([], [run_id])
    assert (row(run_id).state, row(run_id).error) == ("FAILED", outbox.LOST_TOO_OFTEN)


def test_what_a_worker_holds_or_works_on_is_not_lost(stranger: subprocess.Popen[bytes]) -> None:
    held, at_work, orphan = accepted(), accepted(), accepted()
    taken(at_work)
    taken(orphan, holder=name_of(stranger))
    for run_id in (held, at_work, orphan):
        change(run_id, published_at=1.0, due_at=1.0)
    heartbeat.Heartbeat("w", "raw", held=lambda: [held]).renew()
    stranger.kill()
    stranger.wait()

    assert outbox.publish_again("raw") == ([orphan], [])


# ---------------------------------------------------------------- messages put aside


@pytest.mark.parametrize("state", ["PENDING", "RETRYING"])
def test_a_message_put_aside_ends_the_run_it_names(state: str) -> None:
    run_id = accepted()
    change(run_id, state=state)

    assert ending.put_aside(run_id, "raw", "half an emoji \ud83d", "w") == PutAside("half an emoji \ufffd")
    assert (row(run_id).state, row(run_id).error) == ("FAILED", "its message was put aside: half an emoji \ufffd")


@pytest.mark.parametrize("name", [None, 5, "", "\0", "x" * 500, "\ud83d", "no such run"])
def test_a_message_put_aside_may_name_anything(name: Any) -> None:
    run_id = accepted()
    taken(run_id)

    assert ending.put_aside(name, "raw", "no", "w") == PutAside("no")
    ending.put_aside(run_id, "celery", "another lane", "w")
    ending.put_aside(run_id, "raw", "it is being worked on", "w")
    assert row(run_id).state == "IN_PROGRESS"


def test_every_outcome_of_a_message_is_one_that_lanes_know() -> None:
    assert {AlreadyEnded, AtWork, Done, Expired, Failed, PutAside, Retry, Wait} == set(Outcome.__args__)


def index_reads() -> dict[str, int]:
    """Return how many entries of each index of the runs PostgreSQL has read."""
    with database.statements() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with database.statements() as connection:
        counted = "SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'runs'"
        return {name: int(read) for name, read in connection.execute(text(counted))}


@pytest.mark.parametrize("each_database", ["postgresql"], indirect=True)
def test_one_run_is_found_by_its_key_however_many_are_open() -> None:
    with database.writing() as connection:  # as in a new database: PostgreSQL has no statistics of the table yet
        connection.execute(text("TRUNCATE runs"))
    database.close()
    for _ in range(12):  # a driver and a server choose their final plan only after some executions
        end_in_each_way()
    outbox.mark_published([accepted() for _ in range(500)])

    before = index_reads()
    for _ in range(10):
        end_in_each_way()
    after = index_reads()

    read = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    assert list(read) == ["runs_pkey"]
    assert read["runs_pkey"] < 10 * 60


def end_in_each_way() -> None:
    """Let six runs begin, and let each of them go on in another way."""
    ids = [accepted() for _ in range(6)]
    done, back, revoked, aside, lost, given_up = ids
    outbox.mark_published(ids)
    held = {run_id: taken(run_id) for run_id in ids}
    with database.writing() as connection:
        assert record_outcome.end(connection, done, 1, held[done].holder, "DONE")
        holder = held[back].holder
        assert record_outcome.put_back(connection, back, 1, holder, after=0, error="?", told=False, in_outbox=False)
    assert runs.end_open(revoked, "REVOKED", "?")
    assert runs.end_waiting(aside, "raw", "?", held[aside].holder)
    begin_attempt.lost(lost, "raw", held[lost].holder, "w", "?")
    assert begin_attempt.give_up(row(given_up), "?")
    assert outbox.take_back(back)
