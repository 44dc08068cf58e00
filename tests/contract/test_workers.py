"""The current work of each worker. Both lanes get the same question and answer in the same form, in bounded time."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from tests.api.server import Server, serving
from tests.kit import Kit, until

pytestmark = pytest.mark.thorough  # half of their time is waiting for answers that do not come


def heard(kit: Kit, lane: str) -> list[dict[str, Any]]:
    """The lane's workers."""
    answer = kit.http.get("/api/workers").json()
    assert lane not in answer["notes"], answer
    return [worker for worker in answer["workers"] if worker["lane"] == lane]


def jobs(workers: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    """The job and the run of each child."""
    return [(child["job"], child["run"]) for worker in workers for child in worker["children"]]


@pytest.mark.feature("inspect/status")
def test_a_worker_names_the_job_and_the_run_it_is_at_and_then_says_idle(kit: Kit, lane: str, worker: str) -> None:
    until(lambda: jobs(heard(kit, lane)) == [(None, None)] * 2, 15, "both children are idle")
    done = heard(kit, lane)[0]["jobs_done"]
    (run_id,) = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 3})

    (busy,) = until(lambda: ("process_task", run_id) in jobs(seen := heard(kit, lane)) and seen, 10, "the job is seen")
    assert busy["name"].partition("@")[0] == worker
    assert busy["pid"] == kit.pid(worker)
    (at_it,) = [child for child in busy["children"] if child["run"]]
    assert 0 <= at_it["seconds"] <= 4
    assert Path(f"/proc/{at_it['pid']}").exists()
    assert kit.ended(run_id)["state"] == "DONE"
    until(lambda: jobs(heard(kit, lane)) == [(None, None)] * 2, 10, "both are idle again")
    until(lambda: heard(kit, lane)[0]["jobs_done"] == done + 1, 10, "it has done one more")


def test_the_command_shows_the_same(kit: Kit, lane: str, worker: str) -> None:
    (run_id,) = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 6})
    until(lambda: ("process_task", run_id) in jobs(heard(kit, lane)), 10, "the job is seen")

    shown = kit.command("inspect", "--lane", lane).stdout
    assert f"run {run_id}" in shown
    assert "idle" in shown
    assert worker in shown
    kit.ended(run_id)
    assert {each["lane"] for each in json.loads(kit.command("inspect", "--json").stdout)["workers"]} == {
        "celery",
        "raw",
    }


def test_a_frozen_worker_is_shown_as_not_answering(kit: Kit, lane: str, worker: str) -> None:
    pid = kit.pid(worker)
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: not heard(kit, lane), 15, "it is not heard of")
        shown = kit.command("inspect", "--lane", lane, check=False)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert (shown.returncode, shown.stdout) == (1, f"{worker}: not answering\n")
    until(lambda: heard(kit, lane), 15, "it is back")


def unknown_within_three_seconds(server: Server, lane: str) -> str:
    """Check that the lane's workers are reported as unknown within three seconds. Return the note about it."""
    server.http.get("/healthz")
    began = time.monotonic()
    answer = server.http.get("/api/workers").json()
    assert time.monotonic() - began < 3.0
    assert [worker for worker in answer["workers"] if worker["lane"] == lane] == []
    return str(answer["notes"][lane])


def test_without_its_server_nothing_is_known_and_that_is_said(tmp_path: Path, lane: str) -> None:
    with serving(tmp_path, "redis://127.0.0.1:1/0") as server:
        note = unknown_within_three_seconds(server, lane)

    assert (
        note
        == {
            "celery": "Celery's broker does not answer, so the work of the celery workers is unknown",
            "raw": "Redis does not answer, so the work of the raw workers is unknown",
        }[lane]
    )


def test_a_frozen_server_is_given_up_in_time(kit: Kit, lane: str) -> None:
    server, pid = {"celery": "Celery's broker", "raw": "Redis"}[lane], frozen(kit, lane)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = kit.http.get("/api/workers").json()
        took = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)

    assert answer["notes"][lane].startswith(f"{server} does not answer")
    assert took < 3.0
    until(lambda: "notes" in (a := kit.http.get("/api/workers").json()) and not a["notes"], 30, "all is known again")


def frozen(kit: Kit, lane: str) -> int:
    """The process id of the server that carries the question to the lane's workers."""
    over_redis = (dotenv_values(kit.run_dir / "kit.env").get("CELERY_BROKER_URL") or "").startswith("redis")
    return kit.pid("redis" if lane == "raw" or over_redis else "rabbitmq")
