"""Messages that did not come through the API: a student sends them by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.test_lost_channels import STARTED, is_ready
from tests.kit import ROOT, Kit, until


def python(kit: Kit, code: str) -> str:
    """Run `code` in the project's folder. It finds the kit only through the run directory."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kit.environment, capture_output=True, text=True, check=False,
        timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_task_sent_with_delay_becomes_a_run_and_its_result_can_be_got(kit: Kit) -> None:
    printed = python(
        kit,
        "from celery_tasks import process_task\n"
        "sent = process_task.delay(3, 0.05, 'by hand')\n"
        "print(sent.id, sent.get(timeout=20))",
    )
    run_id, _, result = printed.partition(" ")

    assert result == "{'status': 'success', 'task_num': 3}"
    run = kit.ended(run_id)
    assert (run["state"], run["lane"], run["args"]["worker_id"]) == ("DONE", "celery", "by hand")


def test_the_same_message_many_times_has_one_effect(kit: Kit, lane: str) -> None:
    run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0.5})[0]
    python(
        kit,
        "from api.publishing import lanes\nfrom cars_bot import database, runs\n"
        f"with database.statements() as c: run = runs.find(c, {run_id!r})\n"
        f"assert len(lanes.publish({lane!r}, [run] * 30)) == 30\nlanes.close()",
    )
    marker = kit.submit(lane, "process_task", args={"task_num": 2, "timeout": 0})  # it waits behind all the copies

    kit.all_ended(marker, 60)
    counts = kit.all_ended([run_id], 30)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (1, 1, 0)


@pytest.mark.thorough
def test_celerys_own_program_starts_a_worker(kit: Kit, tmp_path: Path) -> None:
    """Start it as a container does: the project is not on Python's path, but it is the current folder."""
    environment = {name: value for name, value in kit.environment.items() if name != "PYTHONPATH"}
    celery = str(Path(sys.executable).with_name("celery"))
    log = tmp_path / "worker.log"
    with log.open("wb") as file:
        worker = subprocess.Popen(
            [celery, "-A", "celery_app", "worker", "-l", "info", "-c", "1", "-Q", "monitoring", "-n", "own@%h"],
            cwd=ROOT, env=environment, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        until(lambda: is_ready(log) or worker.poll() is not None, STARTED, "the worker is ready")
        assert worker.poll() is None, log.read_text()[-2_000:]
    finally:
        worker.terminate()
        worker.wait(30)
