"""Lists, counts and places, compared with a plain look at every row, in random tables, on both databases."""

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text, update

from cars_bot import database, outbox, runs
from cars_bot.catalogue import JOBS
from cars_bot.database import models, run_counts, run_lists, schema, tallies
from cars_bot.database.models import effects
from cars_bot.database.models import runs as table
from commands.servers import postgres_server
from tests.unit.conftest import using_database

STATES = runs.OPEN + runs.ENDED
NAMES = ("debug_task", "process_task", "sync_channels")


@pytest.fixture(scope="module")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL for these tests."""
    with postgres_server.running(tmp_path_factory.mktemp("lists") / "data") as server:
        yield str(server.get_uri())


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[random.Random]:
    """An empty database of either kind. Yields a source of random numbers."""
    url = f"sqlite:///{tmp_path}/lists.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with using_database(url, monkeypatch):
        with database.writing() as connection:
            for each in (effects, table, models.repeated_keys, models.tallies):
                connection.execute(delete(each))
        yield random.Random(1)


def row(chance: random.Random, at: float, **more: Any) -> dict[str, Any]:
    """A run in any state."""
    state = chance.choice(STATES)
    job = JOBS[chance.choice(NAMES)]
    return {
        **runs.new_row(JOBS["debug_task"], chance.choice(runs.LANES), {}), "job": job.name, "state": state,
        "accepted_at": at, "attempt": chance.randrange(4) if state != "PENDING" else 0,
        "finished_at": at + 1 if state in runs.ENDED else None,
        "published_at": at, **more,
    }  # fmt: skip


def fill(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Insert so many runs, several of them at the same moment."""
    rows = [row(chance, 1_000.0 + chance.randrange(count // 3)) for _ in range(count)]
    with database.writing() as connection:
        runs.insert_all(connection, rows)
    return sorted(rows, key=lambda each: (each["accepted_at"], each["id"]), reverse=True)


def counted(rows: list[Any]) -> dict[str, dict[str, int]]:
    """The counts, computed the slow way."""
    found: dict[str, dict[str, int]] = {}
    for each in rows:
        lane = found.setdefault(each.lane, dict.fromkeys(("accepted", "retried", *STATES), 0))
        lane["accepted"] += 1
        lane[each.state] += 1
        lane["retried"] += each.attempt > 1
    return found


def assert_exact() -> None:
    """Check that the tallies equal the real counts."""
    with database.statements() as connection:
        there = counted(list(connection.execute(select(table)).all()))
        told = tallies.counts(connection)
    for lane in runs.LANES:
        for what in ("accepted", "retried", *STATES):
            assert told.get(lane, {}).get(what, 0) == there.get(lane, {}).get(what, 0), (lane, what)


def test_every_filter_finds_what_a_look_at_each_row_finds_page_after_page(db: random.Random) -> None:
    rows = fill(db, 240)
    with database.statements() as connection:
        for lane, state, job in itertools.product((None, "raw"), (None, *STATES), (None, NAMES[0])):
            wanted = {"lane": lane, "state": state, "job": job}
            due = [each["id"] for each in rows if all(v in (None, each[name]) for name, v in wanted.items())]
            found: list[str] = []
            while page := run_lists.page(
                connection, lane=lane, state=state, job=job, before=found[-1] if found else None, limit=30
            ):
                found += [run.id for run in page]
            assert found == due, wanted


def test_a_job_that_left_the_catalogue_is_listed_all_the_same(db: random.Random) -> None:
    with database.writing() as connection:
        runs.insert_all(connection, [row(db, 5.0, job="left_the_house", lane="raw")])
    with database.statements() as connection:
        assert len(run_lists.page(connection, lane="raw")) == 1
        assert run_lists.page(connection, lane="celery") == []


def test_the_tallies_follow_whatever_is_done_to_runs(db: random.Random) -> None:
    fill(db, 120)
    assert_exact()
    with database.statements() as connection:
        ids = list(connection.execute(select(table.c.id)).scalars())
    for _ in range(60):
        chosen = db.sample(ids, 3)
        with database.writing() as connection:
            match db.randrange(5):
                case 0:
                    connection.execute(delete(table).where(table.c.id.in_(chosen)))
                case 1:
                    connection.execute(
                        update(table).where(table.c.id.in_(chosen), table.c.finished_at.is_(None))
                        .values(state=db.choice(runs.ENDED), finished_at=time.time(), attempt=db.randrange(4))
                    )  # fmt: skip
                case 2:
                    connection.execute(
                        update(table).where(table.c.id.in_(chosen), table.c.finished_at.is_(None))
                        .values(state=db.choice(runs.OPEN[1:]), attempt=table.c.attempt + 1)
                    )  # fmt: skip
                case 3:
                    runs.insert_all(connection, [row(db, time.time()) for _ in range(4)])
                case 4:
                    connection.execute(
                        update(table).where(table.c.id.in_(chosen)).values(state="PENDING", attempt=0, finished_at=None)
                    )
    assert_exact()


def test_what_is_rolled_back_is_not_counted(db: random.Random) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        runs.insert_all(connection, [row(db, 1.0)])
        raise ZeroDivisionError
    assert_exact()


def test_folding_changes_no_count(db: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(db, 60)
    monkeypatch.setattr(tallies, "FOLD_AT", 5)
    with database.statements() as connection:
        before = tallies.counts(connection)
        rows = connection.execute(text("SELECT count(*) FROM tallies")).scalar_one()
    tallies.fold()
    with database.statements() as connection:
        assert tallies.counts(connection) == before
        assert connection.execute(text("SELECT count(*) FROM tallies")).scalar_one() < rows
    assert_exact()


def test_a_table_from_before_the_tallies_is_counted_once(db: random.Random) -> None:
    fill(db, 50)
    with database.writing() as connection:
        sqlite = connection.dialect.name == "sqlite"
        connection.execute(text("DROP TRIGGER tally_accepted" + ("" if sqlite else " ON runs")))
        connection.execute(text("DELETE FROM tallies"))
        runs.insert_all(connection, [row(db, 3.0)])
    schema.create_tables()
    assert_exact()
    with database.writing() as connection:
        runs.insert_all(connection, [row(db, 4.0)])
    assert_exact()


def test_effects_that_happened_twice_on_a_lane_are_counted(db: random.Random) -> None:
    first, second = fill(db, 6)[:2]
    with database.writing() as connection:
        connection.execute(update(table).where(table.c.id.in_([first["id"], second["id"]])).values(lane="raw"))
        for run, key in ((first, "a"), (second, "a"), (second, "b")):
            values = {"key": key, "run_id": run["id"], "kind": "post", "made_at": 1.0}
            connection.execute(effects.insert(), [values])
    with database.statements() as connection:
        whole = run_counts.summary(connection)["raw"]
        some = run_counts.summary(connection, [first["id"], second["id"]])["raw"]
    assert (some["effects"], some["duplicated"], whole["duplicated"]) == (3, 1, 1)


def test_long_values_are_left_out_of_a_list(db: random.Random) -> None:
    long = {"text": "x" * (run_lists.FOLDED + 1)}
    with database.writing() as connection:
        runs.insert_all(connection, [row(db, 9.0, args=long), row(db, 8.0, args={"a": 1})])
    with database.statements() as connection:
        folded, whole = run_lists.page(connection)
    assert (folded.args, whole.args, whole.args_size) == (None, {"a": 1}, None)
    assert folded.args_size > run_lists.FOLDED


def test_a_page_goes_on_after_a_run_that_was_deleted_meanwhile(db: random.Random) -> None:
    with database.writing() as connection:
        ids = []
        for _ in range(6):
            ids.append(runs.accept(connection, JOBS["debug_task"], "raw", {}))
            time.sleep(0.003)  # our ids hold milliseconds
        connection.execute(delete(table).where(table.c.id == ids[3]))
    with database.statements() as connection:
        assert [run.id for run in run_lists.page(connection, before=ids[3])] == ids[2::-1]
        assert run_lists.place_of(connection, "by hand") is None


def test_a_list_reads_few_rows_however_many_there_are(db: random.Random) -> None:
    fill(db, 2_000)
    with database.statements() as connection:
        if connection.dialect.name == "postgresql":
            pytest.skip("SQLite tells how it will look for the rows; PostgreSQL decides by statistics")
        asked: list[tuple[str, Any]] = []

        @event.listens_for(database.engine(), "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            asked.append((statement, parameters))

        for state in (None, *STATES):
            run_lists.page(connection, lane="raw", state=state, job="debug_task", before=None, limit=5)
        event.remove(database.engine(), "before_cursor_execute", note)
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans = [step.detail for step in plan if step.detail.startswith("SCAN runs") and "USING" not in step.detail]
            assert not scans, statement


def test_the_outbox_hands_out_few_runs_at_once_if_they_are_big(db: random.Random) -> None:
    with database.writing() as connection:
        for size in (outbox.BATCH_SIZE + 1, 3_000_000, 3_000_000, 3_000_000, 1):
            row = runs.new_row(JOBS["test_task"], "raw", {"message": ""})
            runs.insert_all(connection, [row | {"args": {"message": "x" * size}}])  # the kit accepts none so big
    sizes = []
    with database.statements() as connection:
        while batch := outbox.unpublished(connection, "raw"):
            sizes.append(len(batch))
            outbox.mark_published(run.id for run in batch)
    assert sizes == [1, 2, 2]
