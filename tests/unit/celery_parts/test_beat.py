"""Celery's Beat as the kit runs it: it sends every due job, whatever its clock did and whoever was there before."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.beat import ScheduleEntry
from celery.schedules import crontab

from cars_bot.errors import StorageUnavailable
from cars_bot.processes import leases
from celery_app import celery_app
from celery_parts.beat import OneRunPerDueTime
from tests.kit import ROOT

START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
EVERY_MINUTE = {"stats": {"task": "collect_stats", "schedule": crontab()}}
HOURLY = {"stats": {"task": "collect_stats", "schedule": crontab(minute="0")}}
pytestmark = pytest.mark.usefixtures("fresh_database")


class Beat(OneRunPerDueTime):
    """A Beat that notes what it would send."""

    producer = None

    def __init__(self, **more: Any) -> None:
        self.sent: list[str] = []
        super().__init__(celery_app, **more)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        self.sent.append(entry.name)

    def live(self, clock: "Clock", seconds: int) -> int:
        """Tick every second for so many seconds. Return how many entries were sent."""
        before = len(self.sent)
        for _ in range(seconds):
            while not self.tick():
                pass
            clock.time += timedelta(seconds=1)
        return len(self.sent) - before


class Clock:
    """The shared clock of the test."""

    def __init__(self) -> None:
        self.time = START


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(celery_app, "now", lambda: made.time)
    monkeypatch.setitem(celery_app.conf, "beat_schedule", EVERY_MINUTE)
    yield made


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=1), timedelta(days=366)])
def test_a_clock_that_was_ahead_and_is_corrected_ticks_within_a_minute(
    clock: Clock, ahead: timedelta, restarted: bool
) -> None:
    clock.time = START + ahead
    beat = Beat()
    assert beat.live(clock, 120) == 2
    clock.time = START

    assert (Beat() if restarted else beat).live(clock, 60) == 1


def test_a_first_beat_ever_makes_up_for_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(celery_app.conf, "beat_schedule", HOURLY)

    assert Beat().live(clock, 10) == 0


def test_after_a_time_away_what_was_missed_is_sent_once(clock: Clock) -> None:
    Beat().live(clock, 10)
    clock.time += timedelta(hours=1)

    assert Beat().live(clock, 10) == 1


def test_a_schedule_that_was_added_ticks_and_one_that_was_removed_does_not(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Beat().live(clock, 40)
    monkeypatch.setitem(celery_app.conf, "beat_schedule", {"new": EVERY_MINUTE["stats"]})
    beat = Beat()
    beat.live(clock, 60)

    assert set(beat.sent) == {"new"}


@pytest.mark.parametrize("content", [None, b"", b"\x00garbage"], ids=["unwritable", "empty", "damaged"])
def test_whatever_is_wrong_with_a_schedule_file_is_nothing_to_beat(
    clock: Clock, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "schedule" if content is not None else Path("/proc/no-such-folder/schedule")
    if content is not None:
        file.write_bytes(content)

    assert Beat(schedule_filename=str(file)).live(clock, 60) == 1


def test_beat_goes_on_while_the_database_is_away(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    beat = Beat()
    monkeypatch.setattr(leases, "take", _away)

    assert beat.live(clock, 60) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_beat_ends_when_it_is_told_to_while_it_waits_for_an_answer(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as redis, (tmp_path / "log").open("w+") as log:
        redis.settimeout(60)
        environment = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{redis.getsockname()[1]}/0"}
        command = [sys.executable, "-m", "celery", "-A", "celery_app", "beat", "--pidfile="]
        beat = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            connection, _ = redis.accept()
            with connection:
                assert connection.recv(100), "Beat asks for the time, and waits"
                beat.send_signal(number)
                assert beat.wait(10) == 0, log.read()
        finally:
            beat.kill()
            beat.wait()


def _away(*_: Any) -> Any:
    raise StorageUnavailable("it is away")
