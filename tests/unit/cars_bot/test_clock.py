"""The shared clock: what a process knows of it, and what a process says when its own clock is wrong."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from cars_bot import database
from cars_bot.processes import clock
from cars_bot.processes.clock import COMPARE_SECONDS, SharedClock
from commands.servers import postgres_server
from tests.api.server import redis_server
from tests.unit.conftest import using_database

DAY = 86_400.0


class World:
    """The true time, a machine whose clock is `off` from it, and the time that an answer takes."""

    def __init__(self, off: float) -> None:
        self.true, self.off, self.trip, self.away = 1_700_000_000.0, off, 0.0, False
        self.clock = SharedClock(lambda: self.true + self.off, lambda: self.true - 1_600_000_000.0)

    def ask(self) -> float | None:
        """The shared clock's time, as it was half a round trip ago."""
        self.true += self.trip
        return None if self.away else self.true - self.trip / 2

    def compare(self) -> None:
        """Compare the clocks, as the database does."""
        self.clock.compare(self.ask, "Redis")

    def error(self) -> float:
        """The seconds by which `now()` is wrong."""
        return self.clock.now() - self.true


@pytest.mark.parametrize("off", [DAY, -DAY, 600.0, -1.5])
def test_a_process_with_a_wrong_clock_uses_the_shared_one(off: float, caplog: pytest.LogCaptureFixture) -> None:
    world = World(off)
    assert world.clock.is_stale()
    world.compare()

    assert world.error() == 0
    assert world.clock.ahead() == off
    assert f"{abs(off):.1f} s {'ahead of' if off > 0 else 'behind'} that of Redis" in caplog.text


def test_a_clock_that_is_right_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    world = World(0.1)
    world.trip = 3.0  # a measurement over such a trip is not worth much
    world.compare()

    assert world.error() == pytest.approx(0.1)
    assert world.clock.ahead() == 0
    assert not caplog.records


def test_a_correction_does_not_tremble_with_the_network() -> None:
    world = World(DAY)
    world.compare()
    before = world.error()
    for world.trip in (0.4, 0.002, 0.9):
        world.compare()

    assert world.error() == before


def test_a_clock_that_is_set_while_we_run_changes_nothing_and_is_noticed_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(0.0)
    world.compare()
    assert not world.clock.is_stale()
    world.off = DAY
    assert world.error() == 0
    assert world.clock.is_stale()
    world.compare()
    assert (world.error(), world.clock.ahead()) == (0, DAY)
    world.off = 0.0
    world.compare()

    assert (world.error(), world.clock.ahead()) == (0, 0)
    assert "agrees with that of Redis again" in caplog.text


def test_the_comparison_is_repeated_but_not_for_each_decision() -> None:
    world = World(0.0)
    world.compare()
    world.true += COMPARE_SECONDS - 1
    assert not world.clock.is_stale()
    world.true += 2
    assert world.clock.is_stale()


def test_a_shared_clock_that_is_set_is_followed() -> None:
    world = World(0.0)
    world.compare()
    world.clock.compare(lambda: world.true + DAY, "PostgreSQL")

    assert world.error() == DAY


def test_what_is_known_holds_on_while_the_shared_clock_is_away() -> None:
    world = World(DAY)
    world.compare()
    world.away = True
    world.off = -DAY
    world.compare()

    assert world.error() == 0
    assert not world.clock.is_stale(), "it would be asked again for each decision"


def test_where_there_is_no_shared_clock_our_own_is_followed_also_when_it_is_set() -> None:
    world = World(0.0)
    world.away = True
    world.compare()
    world.off = DAY
    world.compare()

    assert world.error() == DAY
    assert world.clock.ahead() == 0


def test_an_error_of_the_one_who_is_asked_goes_through_and_changes_nothing() -> None:
    world = World(DAY)
    world.compare()

    def fail() -> float:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        world.clock.compare(fail, "PostgreSQL")
    world.compare()
    assert world.error() == 0


def test_one_thread_compares_and_the_others_do_not_wait_for_it() -> None:
    world = World(0.0)
    world.compare()
    asked, answer = threading.Event(), threading.Event()

    def slowly() -> float:
        asked.set()
        assert answer.wait(10)
        return world.true

    comparing = threading.Thread(target=world.clock.compare, args=(slowly, "Redis"))
    comparing.start()
    assert asked.wait(10)
    world.clock.compare(lambda: pytest.fail("a second one asked meanwhile"), "Redis")
    answer.set()
    comparing.join()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_each_database_is_compared_with_its_own_shared_clock(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server(tmp_path) as redis, ExitStack() as stack:
        monkeypatch.setenv("REDIS_URL", redis if kind == "sqlite" else "redis://127.0.0.1:1/0")
        own = f"sqlite:///{tmp_path / 'k.db'}"
        if kind == "postgresql":
            own = stack.enter_context(postgres_server.running(tmp_path / "data")).get_uri()
        stack.enter_context(using_database(own, monkeypatch))
        for way in (database.statements, database.writing):
            skewed = SharedClock(lambda: time.time() + DAY, time.monotonic)
            for name in ("is_stale", "compare"):
                monkeypatch.setattr(clock, name, getattr(skewed, name))
            with way():
                assert skewed.now() == pytest.approx(time.time(), abs=1.0)
