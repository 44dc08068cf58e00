"""Group commit, on both databases: one transaction for a group, and an answer of its own for each request."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from api.errors import Refused
from api.publishing import acceptance, submission
from api.publishing.acceptance import Acceptance, Answer, Order, Verdict
from api.schemas import Submission
from cars_bot import database, runs
from cars_bot.database import run_counts
from cars_bot.database.models import runs as table
from cars_bot.errors import StorageUnavailable, Unstorable
from commands.servers import postgres_server
from tests.unit.conftest import using_database


@pytest.fixture(scope="module")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL for these tests."""
    with postgres_server.running(tmp_path_factory.mktemp("acceptance") / "data") as server:
        yield str(server.get_uri())


@pytest.fixture(autouse=True, params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of either kind."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    url = f"sqlite:///{tmp_path}/acceptance.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with using_database(url, monkeypatch):
        yield request.param


def order(key: str | None = None, count: int = 1, **more: Any) -> Order:
    """A request for `debug_task`."""
    return submission.order(Submission(job="debug_task", lane="raw", count=count, **more), key)


def stored(*orders: Order) -> int:
    """Return how many of these orders' runs are in the table."""
    ids = [row["id"] for each in orders for row in each.rows]
    with database.statements() as connection:
        return int(connection.execute(select(func.count()).where(table.c.id.in_(ids))).scalar_one())


def refused(verdict: Verdict) -> str:
    """The word that names a refusal's reason."""
    assert isinstance(verdict, Refused)
    return verdict.error


def test_a_group_is_one_transaction() -> None:
    begun = []

    @event.listens_for(database.engine(), "begin")
    def note(_connection: Any) -> None:
        begun.append(1)

    orders = [order(), order("k-1"), order(count=3), order("k-2")]
    verdicts = acceptance.accept(orders)
    event.remove(database.engine(), "begin", note)

    assert verdicts == [Answer(each.reply) for each in orders]
    assert stored(*orders) == 6
    assert sum(begun) == 1


def test_a_key_twice_in_a_group_is_accepted_once_and_answered_twice() -> None:
    first, second, other = order("twice"), order("twice"), order("twice", priority=1)

    verdicts = acceptance.accept([first, second, other])

    assert verdicts[:2] == [Answer(first.reply), Answer(first.reply, repeated=True)]
    assert refused(verdicts[2]) == "key_reused"
    assert (stored(first), stored(second, other)) == (1, 0)


def test_a_key_of_an_earlier_group_gets_its_reply() -> None:
    first, again, other, neighbour = order("early"), order("early"), order("early", priority=2), order()
    acceptance.accept([first])

    verdicts = acceptance.accept([other, neighbour, again])

    assert refused(verdicts[0]) == "key_reused"
    assert verdicts[1:] == [Answer(neighbour.reply), Answer(first.reply, repeated=True)]
    assert (stored(neighbour), stored(again, other)) == (1, 0)


def test_what_the_database_refuses_fails_alone() -> None:
    good, bad, keyed = order(), order("bad"), order("good")
    bad.rows[0]["job"] = None

    verdicts = acceptance.accept([good, bad, keyed])

    assert [type(each) is Answer for each in verdicts] == [True, False, True]
    assert (stored(good, keyed), stored(bad)) == (2, 0)
    assert acceptance.accept([order("bad")])[0] != bad.reply, "its key was not taken"


def test_without_the_database_all_of_a_group_hear_so_and_nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_words: Any) -> None:
        raise StorageUnavailable("gone")

    orders = [order(), order("away"), order()]
    with monkeypatch.context() as patched:
        patched.setattr(acceptance.runs, "insert_all", away)
        verdicts = acceptance.accept(orders)

    assert [type(each) for each in verdicts] == [StorageUnavailable] * 3
    assert stored(*orders) == 0
    assert acceptance.accept([order("away")]) != verdicts, "the key is free again"


def test_what_comes_while_a_group_is_under_way_is_the_next_group(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[Any]] = []
    under_way, go_on, done = threading.Event(), threading.Event(), threading.Event()
    accept = acceptance.accept

    def slowly(orders: Any, waited: float) -> Any:
        under_way.set()
        assert go_on.wait(10)
        return accept(orders, waited)

    def tell(verdicts: Any) -> None:
        told.append([ticket for ticket, _ in verdicts])
        if sum(map(len, told)) == 6:
            done.set()

    monkeypatch.setattr(acceptance, "accept", slowly)
    thread = Acceptance(tell)
    thread.start()
    thread.submit(0, order())
    assert under_way.wait(10)
    for ticket in range(1, 6):
        thread.submit(ticket, order())
    go_on.set()
    assert done.wait(10)
    thread.stop()

    assert told == [[0], [1, 2, 3, 4, 5]]
    assert not thread.is_alive()


def test_a_group_is_bounded_and_a_big_order_comes_alone() -> None:
    thread = Acceptance(lambda _verdicts: None)
    for count in (1_000, 999, 1, 1_000, 1):
        thread.submit(count, order(count=count))

    assert [[ticket for ticket, _, _ in thread._next_group()] for _ in range(2)] == [[1_000, 999, 1], [1_000, 1]]


def test_many_big_arguments_are_refused_before_they_are_made() -> None:
    wanted = Submission(job="test_task", lane="raw", args={"message": "x" * 900_000}, count=200)

    with pytest.raises(Refused, match="send count 17 or less") as caught:
        submission.order(wanted)
    assert caught.value.status == 413


def test_the_counts_know_an_accepted_run_at_once() -> None:
    def accepted() -> int:
        with database.statements() as connection:
            return run_counts.summary(connection)["raw"]["accepted"]

    before = accepted()
    acceptance.accept([order(count=7)])
    assert accepted() == before + 7


def test_a_group_without_keys_is_whole_or_not_at_all_and_survives_a_crash(db: str) -> None:
    first, again, other = order(), order(), order()
    again.rows[0]["id"] = first.rows[0]["id"]
    with pytest.raises(Unstorable), database.one_statement() as connection:
        runs.insert_all(connection, [other.rows[0], first.rows[0], again.rows[0]])
    assert stored(first, other) == 0

    assert all(isinstance(verdict, Answer) for verdict in acceptance.accept([first, other]))
    assert stored(first, other) == 2
    if db == "postgresql":  # a crash would take back everything that is not on the disk yet
        with database.statements() as connection:
            on_disk = text("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
            assert connection.execute(on_disk).scalar_one()
