"""Faults 28 to 30 with workers that have neither the database nor Redis. They report over HTTP (`--report-to`)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from tests.faults.conftest import JOBS
from tests.faults.proxy import Proxy
from tests.faults.trial import A_SECOND, Trial
from tests.kit import ROOT, Kit, running, until

AWAY = pytest.mark.fault(28, "the callback API is down or slow")
REPLAYED = pytest.mark.fault(29, "callbacks are reordered and replayed")
FORGED = pytest.mark.fault(30, "forged, wrong-run, stale and tampered callbacks")
COMMANDS = {
    "celery": ["celery", "-A", "celery_app", "worker", "-l", "info", "-c", "2", "-Q", "default", "-n", "remote@%h"],
    "raw": ["raw_consumer", "worker", "--queues", "default", "--name", "remote"],
}
Start = Callable[..., Path]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit without workers."""
    with running(tmp_path_factory.mktemp("remote"), "rabbitmq", "redis", "api", EXTRA_JOBS=JOBS) as up:
        yield up


@pytest.fixture
def proxy(broken: Kit) -> Proxy:
    """The proxy between the workers and the API."""
    address = urlsplit(broken.status()["urls"]["page"])
    return Proxy((str(address.hostname), int(address.port or 0)))


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """The workers that a test has started. They end with the test."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    end(processes)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Tell these workers to end, and wait for their end."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(60)


@pytest.fixture
def start(broken: Kit, lane: str, tmp_path: Path, proxy: Proxy, started: list[subprocess.Popen[bytes]]) -> Start:
    """A function that starts a worker of the lane.

    The worker knows only the broker, the API's address and the secret.
    """
    told = {name: value or "" for name, value in dotenv_values(broken.run_dir / "kit.env").items()}
    environment = broken.environment | {
        "RMQ_URL": told["RMQ_URL"], "KIT_SECRET": told["KIT_SECRET"], "KIT_RUN_DIR": str(tmp_path / "elsewhere"),
        "DATABASE_URL": "sqlite:////nonexistent/kit.sqlite3", "REDIS_URL": "redis://127.0.0.1:1/0",
        "KIT_WORKER_NAME": "remote",
    }  # fmt: skip

    def start(name: str = "worker", **other: str) -> Path:
        log = tmp_path / f"{name}.log"
        command = [*COMMANDS[lane], "--report-to", f"http://127.0.0.1:{proxy.port}/update_task_status_api/"]
        with log.open("wb") as file:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command], cwd=ROOT, env=environment | other, stdout=file, stderr=file
                )
            )
        until(lambda: "ready" in log.read_text(), 120, "the worker is ready")
        return log

    return start


def once_each(trial: Trial, ids: list[str]) -> None:
    """Check that all runs are done at the first attempt, by the worker that reports over HTTP."""
    found = [trial.kit.run(run_id) for run_id in ids]
    assert {(run["state"], run["attempt"]) for run in found} == {("DONE", 1)}
    assert all(run["worker"].startswith("remote") for run in found)


@AWAY
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_runs_are_done_once_whatever_becomes_of_the_api_meanwhile(
    trial: Trial, lane: str, start: Start, how: str
) -> None:
    start()
    ids = trial.submit(count=20, args=A_SECOND)
    trial.reach("DONE", 4)
    api = trial.kit.pid("api")
    if how == "killed":
        os.kill(api, signal.SIGKILL)
        until(lambda: trial.kit.pid("api") not in (0, api), 30, "supervisor has started another")
    else:
        os.kill(api, signal.SIGSTOP)
        time.sleep(4)  # as long as the fault lasts
        os.kill(api, signal.SIGCONT)
    trial.healed()
    trial.reach("DONE", 20, 60)

    once_each(trial, ids)
    trial.survives(within=30)


@REPLAYED
def test_an_outcome_whose_answer_is_lost_is_noted_and_not_worked_out_again(
    trial: Trial, lane: str, start: Start, proxy: Proxy, tmp_path: Path
) -> None:
    start()
    begun = tmp_path / "begun"  # the row tells that a run was taken; this file tells that its worker knows
    begun.touch()
    ids = trial.submit("say_where", count=8, args={"path": str(begun), "seconds": 1.0})
    until(lambda: len(begun.read_text().split()) == 2, 30, "two jobs are at work")
    proxy.mode = "drop replies"
    trial.reach("DONE", 2, 30)
    proxy.mode = "pass"
    proxy.cut()
    trial.healed()
    trial.reach("DONE", 8, 60)

    once_each(trial, ids)
    trial.survives(within=30)


@FORGED
def test_a_worker_with_a_wrong_secret_is_believed_nothing(
    trial: Trial, lane: str, start: Start, started: list[subprocess.Popen[bytes]]
) -> None:
    log = start("forger", KIT_SECRET="guessed")
    ids = trial.submit(count=2, args=A_SECOND)
    until(lambda: "401" in log.read_text(), 20, "it is told so")
    assert trial.states(ids) == ["PENDING", "PENDING"]

    end(started)
    start()  # this one has the right secret
    trial.healed()
    trial.survives(within=60)
    once_each(trial, ids)


@AWAY
def test_a_job_that_needs_the_database_ends_failed_in_words(trial: Trial, lane: str, start: Start) -> None:
    start()
    (read,) = trial.submit("announce", args={"chat": "@remote", "text": "hello"})
    trial.reach("FAILED", 1)

    assert "run the job on a worker with DATABASE_URL" in trial.kit.run(read)["error"]
    trial.submit()
    trial.healed()
    assert trial.survives(within=30, failed=1)[lane].done == 1


@AWAY
def test_a_child_that_is_killed_is_an_attempt_lost_and_told_of(trial: Trial, lane: str, start: Start) -> None:
    start()
    (run_id,) = trial.submit("kill_own_process")
    trial.reach("FAILED", 1, 60)

    assert "its worker was lost during attempt" in trial.kit.run(run_id)["error"]
    trial.submit()
    trial.healed()
    assert trial.survives(within=60, failed=1)[lane].done == 1
