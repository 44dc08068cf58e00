"""Faults 9, 10, 11 and 23: workers that are killed, told to stop or frozen, and jobs that kill their process."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.trial import Trial
from tests.kit import until

CHILD_KILLED = pytest.mark.fault(9, "a prefork child is SIGKILLed")
TOLD_TO_STOP = pytest.mark.fault(10, "SIGTERM once, SIGTERM thrice, SIGQUIT in the middle of a job")
FROZEN = pytest.mark.fault(11, "a worker is frozen past its heartbeat")
POISON = pytest.mark.fault(23, "poison: a job that always raises, or kills its process")


@CHILD_KILLED
@pytest.mark.quick
def test_a_killed_child_is_replaced_and_its_job_is_done_by_another(trial: Trial, lane: str, worker: str) -> None:
    trial.submit(count=20)
    trial.reach("DONE", 2)
    os.kill(trial.kit.children(worker)[0], signal.SIGKILL)
    trial.healed()

    assert trial.survives(within=60)[lane].done == 20


@CHILD_KILLED
def test_a_job_whose_child_is_killed_every_time_ends_failed_and_dead_lettered_and_its_neighbours_are_done(
    trial: Trial, lane: str, tmp_path: Path
) -> None:
    path = tmp_path / "pids"
    path.touch()
    (victim,) = trial.submit("say_where", args={"path": str(path), "seconds": 60.0})
    trial.submit(count=10)
    killed: list[str] = []

    def kill_again() -> bool:
        for pid in path.read_text().split()[len(killed) :]:
            killed.append(pid)
            os.kill(int(pid), signal.SIGKILL)
        return trial.states([victim]) == ["FAILED"]

    until(kill_again, 60, "the run is given up")
    trial.healed()
    assert 3 <= len(killed) <= 4  # the first start may die before any of it is stored
    assert trial.survives(within=60, failed=1)[lane].done == 10
    assert trial.put_aside(lane, [victim]) == [victim]
    events = trial.http.get(f"/api/runs/{victim}/events").json()["events"]
    assert sorted(event["attempt"] for event in events if event["event"] == "lost") == [1, 2, 3]
    assert "redelivered" in {event["event"] for event in events}


@CHILD_KILLED
def test_a_worker_killed_with_all_its_children_loses_and_doubles_nothing(trial: Trial, lane: str, worker: str) -> None:
    trial.submit(count=30)
    trial.reach("DONE", 4)
    trial.kit.kill_group(worker)
    trial.healed()

    assert trial.survives(within=90)[lane].done == 30


@TOLD_TO_STOP
@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGTERM] * 3, [signal.SIGQUIT]], ids=["once", "thrice", "quit"]
)
def test_a_worker_told_to_stop_finishes_or_gives_back_what_it_has(
    trial: Trial, lane: str, worker: str, signals: list[signal.Signals]
) -> None:
    trial.submit(count=8, args={"task_num": 1, "timeout": 1.5})
    trial.reach("IN_PROGRESS")
    told = trial.kit.pid(worker)
    for number in signals:
        os.kill(told, number)
    until(lambda: trial.kit.pid(worker) not in (0, told), 30, "it has ended, and a new one has begun")
    trial.healed()

    assert trial.survives(within=60)[lane].done == 8


@FROZEN
def test_a_worker_that_wakes_up_after_others_have_done_its_work_changes_nothing(trial: Trial) -> None:
    workers = ("celery_worker-1", "consumer-1")
    slow = trial.submit(count=2, args={"task_num": 1, "timeout": 6})
    trial.submit(count=6)
    trial.reach("IN_PROGRESS", 4, ids=slow)
    try:
        for name in workers:
            trial.kit.signal_group(name, signal.SIGSTOP)
        trial.kit.command("scale", "celery_worker=2", "consumer=2")
        until(lambda: set(trial.states()) == {"DONE"}, 100, "others have done all of it")
    finally:
        for name in workers:
            trial.kit.signal_group(name, signal.SIGCONT)
    trial.healed()
    trial.survives(within=30)
    trial.kit.command("scale", "celery_worker=1", "consumer=1")


@POISON
def test_poison_is_dead_lettered_after_so_many_tries_and_its_neighbours_are_done(trial: Trial, lane: str) -> None:
    raising = trial.submit("fail_times", args={"times": 99}) + trial.submit("break_down")
    killing = trial.submit("kill_own_process")
    trial.submit(count=10)
    trial.healed()

    assert trial.survives(within=90, failed=3)[lane].done == 10
    runs = [trial.kit.run(run_id) for run_id in raising + killing]
    assert [run["attempt"] for run in runs] == [3, 1, 3]
    assert "worker was lost" in runs[2]["error"]
    assert trial.put_aside(lane, raising + killing) == sorted(raising + killing)
