"""Fault 38: a copy of a message beside a live attempt, whoever published the copy."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.server import free_port
from tests.contract.test_by_hand import python
from tests.faults.test_crash_points import answers
from tests.faults.trial import Trial
from tests.kit import ROOT, until

BESIDE = pytest.mark.fault(38, "a copy beside a live attempt")
ACCEPT_AND_PUBLISH_COPIES = """
from api.publishing import lanes
from cars_bot import database, runs
from cars_bot.catalogue import job_named
with database.writing() as connection:
    run_id = runs.accept(connection, job_named({job!r}), {lane!r}, {args!r}, published=True)
with database.statements() as connection:
    run = runs.find(connection, run_id)
assert len(lanes.publish({lane!r}, [run] * 6)) == 6
lanes.close()
print(run_id)
"""


@pytest.fixture
def slow_telegram(trial: Trial) -> Iterator[None]:
    """Let Telegram's answers come very slowly."""
    with trial.world() as world:
        fault = {"service": "telegram", "fault": "drip", "share": 1, "seconds": 0.8, "only": "sendMessage"}
        world.post("/_control/faults", json=fault).raise_for_status()
        yield
        world.delete("/_control/faults").raise_for_status()


def copies(trial: Trial, lane: str, job: str, **args: Any) -> str:
    """Accept a run and send its message six times at the same moment."""
    run_id = python(trial.kit, ACCEPT_AND_PUBLISH_COPIES.format(job=job, lane=lane, args=args))
    trial.accepted[lane].append(run_id)
    return run_id


def announce_many(trial: Trial, lane: str, count: int) -> str:
    """Submit `count` posts, each with its own text. Return the chat."""
    chat = f"@copies_{lane}_{time.monotonic_ns()}"
    for number in range(count):
        trial.submit("announce", lane=lane, args={"chat": chat, "text": str(number)})
    return chat


def posted(trial: Trial, chat: str) -> list[str]:
    return [message["text"] for message in trial.kit.channel(chat)]


@BESIDE
@pytest.mark.usefixtures("slow_telegram")
def test_a_copy_beside_a_slow_attempt_gives_way_and_the_attempts_outcome_stands(trial: Trial, lane: str) -> None:
    chat = f"@beside_{lane}"
    run_id = copies(trial, lane, "announce", chat=chat, text="once")
    trial.submit(count=3)
    trial.healed()

    assert trial.survives(within=40, outside=posted(trial, chat))[lane].done == 4
    assert posted(trial, chat) == ["once"]
    assert trial.kit.run(run_id)["attempt"] == 1


@BESIDE
@pytest.mark.usefixtures("slow_telegram")
def test_an_api_killed_while_it_publishes_makes_copies_and_all_is_sent_once(trial: Trial, lane: str) -> None:
    chat = announce_many(trial, lane, 15)
    os.kill(trial.kit.pid("api"), signal.SIGKILL)
    until(lambda: not answers(trial), 10, "the API has died")
    until(lambda: answers(trial), 60, "the API is back")
    trial.healed()

    assert trial.survives(within=60)[lane].done == 15
    assert sorted(posted(trial, chat), key=int) == [str(number) for number in range(15)]


@BESIDE
@pytest.mark.usefixtures("slow_telegram")
def test_two_apis_publish_the_same_runs_and_all_is_sent_once(trial: Trial, lane: str) -> None:
    command = [sys.executable, "-m", "uvicorn", "api.app:app", "--port", str(free_port()), "--log-level", "warning"]
    second = subprocess.Popen(command, cwd=ROOT, env=trial.kit.environment)
    try:
        chat = announce_many(trial, lane, 20)
        trial.healed()
        assert trial.survives(within=60)[lane].done == 20
    finally:
        second.terminate()
        second.wait(20)
    assert sorted(posted(trial, chat), key=int) == [str(number) for number in range(20)]


@BESIDE
def test_a_run_at_work_is_not_published_again_without_redis_nor_while_its_job_lets_no_thread_run(
    trial: Trial, tmp_path: Path
) -> None:
    paths = {lane: [tmp_path / f"{lane}-{job}" for job in ("say_where", "hold_the_lock")] for lane in trial.lanes}
    os.kill(trial.kit.pid("redis"), signal.SIGKILL)
    at_work = []
    for lane, (first, second) in paths.items():
        at_work += trial.submit("say_where", lane=lane, args={"path": str(first), "seconds": 26.0})
        at_work += trial.submit("hold_the_lock", lane=lane, args={"path": str(second), "seconds": 26})
    until(lambda: trial.states(at_work) == ["IN_PROGRESS"] * 4, 25, "the rows say that all are at work")
    trial.submit(count=3)
    trial.healed()

    for verdict in trial.survives(within=60, ledger_lost=True).values():
        assert verdict.done == 5
    starts = {path.name: len(path.read_text().split()) for pair in paths.values() for path in pair}
    assert set(starts.values()) == {1}, starts
    assert {trial.kit.run(run_id)["attempt"] for run_id in at_work} == {1}
