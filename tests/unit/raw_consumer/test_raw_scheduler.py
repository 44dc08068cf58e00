"""The hand-written Beat on a real database: one tick per due time, with others and with any clock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from cars_bot import database
from cars_bot.database.models import runs
from cars_bot.processes.leases import SECONDS as LEASE_SECONDS
from cars_bot.schedule import Tick
from raw_consumer.scheduler import Scheduler

MINUTE = 60.0
START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC).timestamp()
EVERY_MINUTE = {"stats": Tick("collect_stats", "* * * * *")}
HOURLY = {"stats": Tick("collect_stats", "0 * * * *")}


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


pytestmark = pytest.mark.usefixtures("fresh_database")


def accepted() -> list[str]:
    """The ids of all runs."""
    with database.statements() as connection:
        return list(connection.execute(select(runs.c.id).order_by(runs.c.id)).scalars())


def test_a_tick_puts_one_unpublished_run_of_the_raw_lane_into_the_outbox() -> None:
    clock = Clock()
    scheduler = Scheduler("a", clock, EVERY_MINUTE)
    assert scheduler.tick() == []

    clock.now += MINUTE
    (run_id,) = scheduler.tick()
    with database.statements() as connection:
        run = connection.execute(select(runs)).one()
    assert (run.id, run.job, run.lane, run.state, run.published_at) == (run_id, "collect_stats", "raw", "PENDING", None)


def test_each_slot_ticks_once_however_often_one_looks() -> None:
    clock = Clock()
    scheduler = Scheduler("a", clock, EVERY_MINUTE)
    for _ in range(30 * 10):
        scheduler.tick()
        clock.now += 2.0

    assert len(accepted()) == 10


def test_a_first_start_ever_makes_up_for_nothing() -> None:
    assert Scheduler("a", Clock(), HOURLY).tick() == []


def test_after_a_time_away_the_latest_missed_slot_runs_once() -> None:
    clock = Clock()
    Scheduler("a", clock, EVERY_MINUTE).tick()
    clock.now += 3600
    scheduler = Scheduler("b", clock, EVERY_MINUTE)

    assert len(scheduler.tick()) == 1
    assert scheduler.tick() == []
    assert len(accepted()) == 1


def test_of_two_schedulers_one_leads_and_the_other_follows_when_it_is_gone() -> None:
    clock = Clock()
    leader, other = Scheduler("a", clock, EVERY_MINUTE), Scheduler("b", clock, EVERY_MINUTE)
    leader.tick()
    other.tick()
    assert (leader.leading, other.leading) == (True, False)

    clock.now += LEASE_SECONDS / 2
    leader.tick()
    clock.now += LEASE_SECONDS / 2 + 1
    assert other.tick() == []  # the lease was renewed
    clock.now += MINUTE
    assert len(other.tick()) == 1
    leader.tick()
    assert (leader.leading, other.leading) == (False, True)


@pytest.mark.parametrize("skew", [-600.0, -61.0, 0.0, 61.0, 600.0])
def test_two_schedulers_with_different_clocks_give_one_tick_per_slot(skew: float) -> None:
    mine, theirs = Clock(), Clock(START + skew)
    both = Scheduler("a", mine, EVERY_MINUTE), Scheduler("b", theirs, EVERY_MINUTE)
    for _ in range(40):
        for scheduler in both:
            scheduler.tick()
        mine.now += 31.0
        theirs.now += 31.0

    ids = accepted()
    due_times = {int(run_id[:8] + run_id[9:13], 16) for run_id in ids}
    assert len(ids) == len(due_times) >= 20
    assert max(due_times) - min(due_times) == (len(due_times) - 1) * 60_000, "a due time is missing in between"


def test_two_schedulers_that_both_believe_they_lead_give_one_tick_per_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(Scheduler, "_lead", lambda self, now: True)
    both = [Scheduler(name, clock, EVERY_MINUTE) for name in "ab"]
    for scheduler in both:
        scheduler.handled = {"stats": START}
    for _ in range(10):
        clock.now += MINUTE
        _at_once([scheduler.tick for scheduler in both])

    assert len(accepted()) == 10


def test_a_leader_whose_clock_was_ahead_does_not_lead_from_the_grave() -> None:
    clock = Clock()
    Scheduler("ahead", Clock(START + 600), EVERY_MINUTE).tick()  # it is gone, but its lease runs for 600 s more
    scheduler = Scheduler("a", clock, EVERY_MINUTE)
    scheduler.tick()
    clock.now += MINUTE

    assert len(scheduler.tick()) == 1


def test_a_clock_set_back_repeats_nothing() -> None:
    clock = Clock()
    scheduler = Scheduler("a", clock, EVERY_MINUTE)
    scheduler.tick()
    for _ in range(5):
        clock.now += MINUTE
        scheduler.tick()
    clock.now -= 4 * MINUTE
    for _ in range(8):
        Scheduler("a", clock, EVERY_MINUTE).tick()
        scheduler.tick()
        clock.now += MINUTE

    assert len(accepted()) == len(set(accepted())) == 8


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("ahead", [600.0, 86_400.0, 366 * 86_400.0])
def test_a_clock_that_was_ahead_and_is_corrected_ticks_within_a_minute(ahead: float, restarted: bool) -> None:
    clock = Clock(START + ahead)
    scheduler = Scheduler("a", clock, EVERY_MINUTE)
    for _ in range(3):
        scheduler.tick()
        clock.now += MINUTE
    clock.now = START
    if restarted:
        scheduler = Scheduler("b", clock, EVERY_MINUTE)
    since = len(accepted())
    for _ in range(60):
        scheduler.tick()
        clock.now += 1.0

    assert len(accepted()) == since + 1


def test_a_leader_that_died_between_its_renewal_and_its_tick_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    leader = Scheduler("a", clock, EVERY_MINUTE)
    leader.tick()
    clock.now += 30.5  # the due time has just come
    monkeypatch.setattr(leader, "_accept", lambda *_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        leader.tick()
    clock.now += LEASE_SECONDS + 1

    assert len(Scheduler("b", clock, EVERY_MINUTE).tick()) == 1


def _at_once(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
