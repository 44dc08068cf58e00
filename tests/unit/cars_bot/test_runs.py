"""Changes of a run's row, allowed and refused, on a real SQLite file."""

import threading

import pytest

from cars_bot import database, outbox, runs
from cars_bot.catalogue import JOBS, job_named
from cars_bot.context import Delivery
from cars_bot.database import run_counts, run_lists, sqlite_lock
from cars_bot.errors import InvalidArguments, StorageUnavailable
from cars_bot.execution import execute
from cars_bot.outcome import AlreadyEnded, Done, Wait
from cars_bot.processes import clock
from tests.kit import until

JOB = JOBS["process_task"]
ARGS = {"task_num": 1, "timeout": 0.0}
pytestmark = pytest.mark.usefixtures("fresh_database")


def accepted(lane: str = "raw", timeout: float = 0.0, **more: object) -> str:
    with database.writing() as connection:
        return runs.accept(connection, JOB, lane, ARGS | {"timeout": timeout}, **more)  # type: ignore[arg-type]


def state(run_id: str) -> str:
    with database.statements() as connection:
        run = runs.find(connection, run_id)
    assert run is not None
    return str(run.state)


def delivery(run_id: str, redelivered: bool = False) -> Delivery:
    return Delivery(run_id, "process_task", dict(ARGS), "raw", redelivered)


def test_a_copy_of_an_ended_run_does_nothing() -> None:
    run_id = accepted()

    assert execute(delivery(run_id), worker="w") == Done({"status": "success", "task_num": 1})
    assert execute(delivery(run_id), worker="w") == AlreadyEnded("DONE")
    with database.statements() as connection:
        assert run_counts.summary(connection, [run_id])["raw"]["effects"] == 1


def test_copies_that_run_at_once_have_one_effect() -> None:
    run_id = accepted(timeout=0.2)
    together = threading.Barrier(8)
    outcomes = []

    def one() -> None:
        together.wait()
        outcomes.append(execute(delivery(run_id), worker="w"))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 1
    with database.statements() as connection:
        counts = run_counts.summary(connection, [run_id])["raw"]
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (1, 1, 0)


def test_an_ended_run_never_changes_again() -> None:
    run_id = accepted()
    assert runs.end_open(run_id, "REVOKED", "by a test")

    assert execute(delivery(run_id), worker="w") == AlreadyEnded("REVOKED")
    assert not runs.end_open(run_id, "FAILED", "too late")
    assert state(run_id) == "REVOKED"


def test_a_revoked_run_loses_the_effects_of_the_attempt_under_way() -> None:
    run_id = accepted(timeout=0.5)
    worker = threading.Thread(target=execute, args=(delivery(run_id),), kwargs={"worker": "w"})
    worker.start()
    until(lambda: state(run_id) == "IN_PROGRESS", 5, "it is at work")
    runs.end_open(run_id, "REVOKED", "by a test")
    worker.join()

    assert state(run_id) == "REVOKED"
    with database.statements() as connection:
        assert run_counts.summary(connection, [run_id])["raw"]["effects"] == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"priority": 6}, "takes 0 to 5"),
        ({"priority": -1}, "takes 0 to 5"),
        ({"countdown": -1.0}, "give 0 to"),
        ({"countdown": 9e9}, "give 0 to"),
        ({"lane": "kafka"}, "choose one of"),
        ({"lane": "inline", "countdown": 1.0}, "cannot wait"),
    ],
)
def test_what_is_out_of_range_is_refused_and_told_what_is_right(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidArguments, match=told):
        accepted(**wrong)  # type: ignore[arg-type]


def test_a_locked_database_means_come_back_later_and_nothing_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_lock, "PATIENCE", 0.05)
    database.close()
    run_id = accepted()

    with database.writing():
        outcome = execute(delivery(run_id), worker="w")
        assert isinstance(outcome, Wait)
        with pytest.raises(StorageUnavailable), database.writing():
            pass
    assert state(run_id) == "PENDING"
    assert isinstance(execute(delivery(run_id), worker="w"), Done)


def test_pages_follow_one_another_without_gap_or_overlap() -> None:
    ids = [accepted() for _ in range(25)]
    seen: list[str] = []
    before = None
    with database.statements() as connection:
        while rows := run_lists.page(connection, before=before, limit=10):
            seen += [row.id for row in rows]
            before = rows[-1].id

    assert seen == sorted(ids, reverse=True)


def test_what_a_broker_lost_goes_back_into_the_outbox_and_what_waits_in_time_does_not() -> None:
    old, young = accepted(), accepted()
    outbox.mark_published([old, young])
    with database.writing() as connection:
        connection.execute(runs.runs.update().where(runs.runs.c.id == old).values(published_at=1.0, due_at=1.0))

    assert outbox.publish_again("raw") == ([old], [])
    with database.statements() as connection:
        assert [run.id for run in outbox.unpublished(connection, "raw")] == [old]


def test_a_run_that_a_clock_put_into_the_future_is_brought_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    day, true = 86_400.0, clock.now
    monkeypatch.setattr(clock, "now", lambda: true() + day)
    with database.writing() as connection:
        late = runs.accept(connection, job_named("process_post"), "raw", {"post_id": 1}, countdown=5.0)
    outbox.mark_published([late])
    monkeypatch.setattr(clock, "now", true)
    with database.writing() as connection:
        right = runs.accept(connection, job_named("debug_task"), "raw", {}, countdown=day)

    assert outbox.set_right() == [late]
    assert outbox.set_right() == []
    with database.statements() as connection:
        found, other = runs.find(connection, late), runs.find(connection, right)
    assert found is not None
    assert other is not None
    assert found.accepted_at == pytest.approx(true(), abs=5)
    assert found.due_at == pytest.approx(found.accepted_at + 5)
    assert found.expires_at == pytest.approx(found.due_at + 3600)
    assert found.published_at is None
    assert other.due_at > true() + day - 60
