"""Transactions and connections, on both databases."""

import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cars_bot import database, runs
from cars_bot.catalogue import JOBS
from cars_bot.context import Delivery
from cars_bot.database import run_counts, schema, sqlite_lock
from cars_bot.errors import StorageUnavailable
from cars_bot.execution import execute
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Outcome
from cars_bot.run_store import record_outcome
from cars_bot.settings import settings
from commands.servers import postgres_server
from tests.unit.conftest import using_database


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with postgres_server.running(tmp_path_factory.mktemp("postgresql") / "data") as server:
        yield server.get_uri()


@pytest.fixture(autouse=True, params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sqlite = f"sqlite:///{tmp_path / 'test.sqlite3'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with using_database(url, monkeypatch):
        yield


def accept(connection: Connection) -> str:
    return runs.accept(connection, JOBS["debug_task"], "raw", {})


def is_there(run_id: str) -> bool:
    with database.statements() as connection:
        return runs.find(connection, run_id) is not None


def test_a_database_of_an_earlier_version_gets_the_columns_it_lacks() -> None:
    with database.statements() as connection:
        connection.execute(text("ALTER TABLE runs DROP COLUMN steps"))
    schema.create_tables()
    schema.create_tables()

    with database.writing() as connection:
        run_id = accept(connection)
    assert is_there(run_id)


def test_a_transaction_that_raises_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        run_id = accept(connection)
        raise ZeroDivisionError
    assert not is_there(run_id)

    with database.writing() as connection:
        run_id = accept(connection)
    assert is_there(run_id)


def test_a_single_write_is_seen_by_others_at_once() -> None:
    with database.statements() as connection:
        run_id = accept(connection)
        seen: list[bool] = []
        other = threading.Thread(target=lambda: seen.append(is_there(run_id)))
        other.start()
        other.join()
    assert seen == [True]


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_who_waits_for_sqlites_lock_gets_it_soon_after_it_is_free() -> None:
    locked, free, waits = threading.Event(), [0.0], []

    def hold_it() -> None:
        with database.writing():
            locked.set()
            time.sleep(0.1)  # by then, SQLite itself would look again only after 25 ms
            free[0] = time.monotonic()

    with database.writing() as connection:
        run_id = accept(connection)
    for _ in range(10):
        locked.clear()
        other = threading.Thread(target=hold_it)
        other.start()
        locked.wait()
        with database.statements() as connection:
            connection.execute(text("UPDATE runs SET priority = 1 WHERE id = :id"), {"id": run_id})
        waits.append(time.monotonic() - free[0])
        other.join()

    assert statistics.median(waits) < 0.01, waits


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_a_reader_that_would_overwrite_a_change_it_has_not_seen_is_told_at_once() -> None:
    with database.writing() as connection:
        run_id = accept(connection)
    change = text("UPDATE runs SET priority = priority + 1 WHERE id = :id")

    since = time.monotonic()
    with pytest.raises(StorageUnavailable), database.statements() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.execute(text("SELECT priority FROM runs")).all()
        with database.engine().connect() as other:
            other.execute(change, {"id": run_id})
        reader.execute(change, {"id": run_id})
    assert time.monotonic() - since < sqlite_lock.PATIENCE / 2, "to wait would not have helped"


def test_copies_of_a_run_that_nobody_has_accepted_have_one_effect_even_at_the_same_moment() -> None:
    copy = Delivery(runs.new_id(), "process_task", {"task_num": 1, "timeout": 0.05}, "celery")
    outcomes: list[Outcome] = []
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        outcomes.append(execute(copy, worker="w"))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Done), kinds.count(AtWork) + kinds.count(AlreadyEnded)) == (1, 7)
    with database.statements() as connection:
        counts = run_counts.summary(connection, [copy.run_id])["celery"]
    assert (counts["accepted"], counts["done"], counts["effects"]) == (1, 1, 1)


def test_the_main_thread_keeps_its_connection_until_something_goes_wrong_on_it() -> None:
    with database.statements() as first, database.statements() as again:
        assert again is first
    with pytest.raises(ZeroDivisionError), database.statements(), database.statements():
        raise ZeroDivisionError
    with database.statements() as fresh:
        assert fresh is not first
        assert fresh.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_postgresql_waits_for_its_disk_in_a_transaction_and_not_for_a_single_write() -> None:
    setting = text("SHOW synchronous_commit")
    with database.statements() as connection:
        assert connection.execute(setting).scalar_one() == "off"
    with database.writing() as connection:
        assert connection.execute(setting).scalar_one() == "on"
    with database.statements() as connection:
        assert connection.execute(setting).scalar_one() == "off"


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (None, None),
        ({"марка": "Škoda 🚗", "price": [1, 2.5, None]}, {"марка": "Škoda 🚗", "price": [1, 2.5, None]}),
        ({"at": dt.date(2026, 5, 1), "mileage": float("nan")}, {"at": "2026-05-01", "mileage": None}),
    ],
)
def test_a_result_is_read_as_it_was_written(result: object, kept: object) -> None:
    with database.writing() as connection:
        run_id = accept(connection)
        assert record_outcome.end(connection, run_id, 1, "somebody", "DONE", result)
    with database.statements() as connection:
        run = runs.find(connection, run_id)
    assert run is not None
    assert run.result == kept


@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way_in", [database.statements, database.writing])
def test_a_connection_that_the_server_ended_is_told_and_replaced(
    way_in: Callable[[], AbstractContextManager[Connection]],
) -> None:
    with database.writing() as connection:
        run_id = accept(connection)
    with pytest.raises(StorageUnavailable), way_in() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.new_engine(settings().database_url).connect() as another:
            another.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        runs.find(connection, run_id)
    with way_in() as connection:
        assert runs.find(connection, run_id) is not None
