"""Fault 38: two APIs on one database. One publishes, the other stands by. One is killed, and nothing is done twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.server import free_port
from tests.faults.trial import Trial
from tests.kit import NO_TLS, ROOT, Kit, until

RUNS = 35  # for each lane
CHATS = 10


@contextmanager
def second_api(kit: Kit, folder: Path) -> Iterator[httpx.Client]:
    """Another API on the kit's database, Redis and brokers."""
    port = free_port()
    command = ["uvicorn", "api.app:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=kit.environment, stdout=log, stderr=log
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False, verify=NO_TLS) as client:

        def answers() -> bool:
            assert process.poll() is None, (folder / "api.log").read_text()
            try:
                return client.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        try:
            until(answers, 30, "the second API answers")
            yield client
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.fault(38, "two APIs, one is killed while it publishes")
def test_of_two_apis_one_may_be_killed_and_every_run_is_done_once(trial: Trial, tmp_path: Path) -> None:
    world = trial.kit.outside_world
    slow = {"service": "telegram", "fault": "drip", "share": 1.0, "seconds": 0.5}
    tag = tmp_path.name
    with second_api(trial.kit, tmp_path) as other:

        def submit(number: int) -> str | None:
            lane = ("raw", "celery")[number % 2]
            args = {"chat": f"@{tag}{number % CHATS}", "text": f"{tag} {number}"}
            wanted = {"lane": lane, "job": "announce", "args": args}
            once = {"Idempotency-Key": f"{tag}-{number}"}
            via = (trial.http, other)[number // 2 % 2]
            try:
                reply = via.post("/api/runs", json=wanted, headers=once)
            except httpx.TransportError:  # this API was the one that was killed
                reply = other.post("/api/runs", json=wanted, headers=once)
            assert reply.status_code in (200, 202), reply.text
            run_id = str(reply.json()["runs"][0]["id"])
            trial.accepted[lane].append(run_id)
            return run_id

        httpx.post(f"{world}/_control/faults", json=slow, timeout=30, trust_env=False).raise_for_status()
        try:
            with ThreadPoolExecutor(8) as hands:
                sent = [hands.submit(submit, number) for number in range(2 * RUNS)]
                until(lambda: sum(each.done() for each in sent) >= RUNS, 30, "half is accepted")
                os.kill(trial.kit.pid("api"), signal.SIGKILL)
                ids = [each.result() for each in sent]
            trial.healed()
            until(lambda: set(trial.states()) == {"DONE"}, 90, "all are done")
        finally:
            httpx.delete(f"{world}/_control/faults", timeout=30, trust_env=False)

    texts = Counter(message["text"] for chat in range(CHATS) for message in trial.kit.channel(f"@{tag}{chat}"))
    assert len(ids) == 2 * RUNS
    assert set(texts.values()) == {1}
    trial.survives(within=30)
