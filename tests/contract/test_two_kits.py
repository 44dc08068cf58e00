"""Two kits on one broker, on either lane. The second is refused with a reason, and takes nothing from the first."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dotenv import dotenv_values

from cars_bot.database import new_engine
from cars_bot.database.models import metadata, runs
from tests.kit import ROOT, Kit, running, until

pytestmark = pytest.mark.thorough

BELONG = "belong to another kit"
WORKERS = {
    "celery": ["celery", "-A", "celery_app", "worker", "-c", "2", "-n", "stranger@%h", "--without-mingle"],
    "raw": ["raw_consumer", "worker", "--name", "stranger"],
}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The kit that owns the broker."""
    folder = tmp_path_factory.mktemp("first")
    with running(folder, "rabbitmq", "redis", "api", "celery_worker", "consumer") as up:
        for lane in WORKERS:
            up.ended(up.submit(lane, "debug_task")[0])
        yield up


@pytest.fixture
def second(first: Kit, tmp_path: Path) -> Iterator[Kit]:
    """Another kit with its own database and Redis. Its settings name the broker of the first."""
    kit = Kit(tmp_path / "second", RMQ_URL=str(dotenv_values(first.run_dir / "kit.env")["RMQ_URL"]))
    yield kit
    kit.down()


def test_up_is_refused_while_the_other_is_at_work(second: Kit) -> None:
    refused = second.command("up", "--private", check=False)

    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert BELONG in said
    assert "virtual host" in said


def test_workers_that_are_started_by_hand_take_nothing_and_say_why(first: Kit, second: Kit, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'second.sqlite3'}"
    metadata.create_all(new_engine(database))
    redis = str(dotenv_values(first.run_dir / "kit.env")["REDIS_URL"]).replace("/0", "/7")
    theirs = second.environment | {"DATABASE_URL": database, "REDIS_URL": redis}
    with ExitStack() as stack:
        for lane, command in WORKERS.items():
            log = stack.enter_context((tmp_path / lane).open("w"))
            worker = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=theirs, stdout=log, stderr=log)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        for lane in WORKERS:
            until(lambda lane=lane: BELONG in (tmp_path / lane).read_text(), 120, f"the {lane} worker says it")
        ids = [
            run
            for lane in WORKERS
            for run in first.submit(lane, "process_task", 40, args={"task_num": 1, "timeout": 0})
        ]
        counts = first.all_ended(ids, 60)

    assert (counts["done"], counts["duplicated"]) == (80, 0)
    with new_engine(database).connect() as connection:
        assert connection.execute(runs.select()).all() == []


def test_a_kit_that_is_not_at_work_gives_way_and_is_told_so(first: Kit, second: Kit) -> None:
    first.command("scale", "celery_worker=0", "consumer=0")
    assert "not at work" in second.command("up", "--private").stderr
    second.http.base_url = second.status()["urls"]["page"]
    for lane in WORKERS:
        assert second.ended(second.submit(lane, "debug_task")[0])["state"] == "DONE"

    waiting = [first.submit(lane, "debug_task")[0] for lane in WORKERS]
    told = first.command("doctor", check=False)
    assert told.returncode != 0
    assert BELONG in told.stdout
    second.ended(second.submit("raw", "debug_task")[0])
    assert [first.run(run)["state"] for run in waiting] == ["PENDING", "PENDING"]

    second.down()
    first.command("up", "celery_worker", "consumer")
    assert first.all_ended(waiting, 60)["done"] == 2
