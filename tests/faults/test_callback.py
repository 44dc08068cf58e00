"""Faults 29 and 30: reports over HTTP in any order, and beside forged ones. There is no broker: the tests play workers.

`test_remote_workers.py` has the tests with real workers that report over HTTP to an API that is away.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cars_bot.run_store.signature import sign
from tests.api.server import SECRET, Server, redis_server, serving
from tests.faults.trial import Trial

ANY_ORDER = pytest.mark.fault(29, "callbacks are reordered and replayed", lane="api")
FORGED = pytest.mark.fault(30, "forged, wrong-run, stale and tampered callbacks", lane="api")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An API without brokers and without workers."""
    folder = tmp_path_factory.mktemp("api")
    with redis_server(folder) as redis_url, serving(folder, redis_url) as up:
        yield up


@ANY_ORDER
@pytest.mark.quick
def test_reports_in_any_order_and_any_number_never_move_a_run_backwards(trial: Trial, broken: Server) -> None:
    ids = trial.submit("debug_task", count=20)
    seen: dict[str, list[str]] = {run_id: [] for run_id in ids}
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for run_id, state in zip(ids, trial.states(ids), strict=True):
                if seen[run_id][-1:] != [state]:
                    seen[run_id].append(state)

    watching = threading.Thread(target=watch)
    watching.start()
    for run_id in ids:
        broken.begin(run_id)
    reports = [
        (run_id, status, attempt)
        for run_id in ids
        for status, attempt in [("RETRYING", 1), ("DONE", 1), ("DONE", 2), ("FAILED", 1), ("IN_PROGRESS", 0)] * 2
    ]
    random.Random(29).shuffle(reports)

    def send(run_id: str, status: str, attempt: int) -> int:
        more = {"job": "debug_task", "lane": "raw", "args": {}} if status == "IN_PROGRESS" else {"began": time.time()}
        return broken.report(run_id, status, attempt=attempt, error="", **more).status_code

    with ThreadPoolExecutor(8) as hands:
        answers = list(hands.map(lambda report: send(*report), reports))
    for run_id in ids:  # whichever report came last, one attempt of each run ends
        if trial.states([run_id])[0] not in ("DONE", "FAILED"):
            broken.begin(run_id)
            assert broken.end(run_id).status_code == 200
    over.set()
    watching.join()

    assert set(answers) <= {200, 409}
    for states in seen.values():
        ends = [state for state in states if state in ("DONE", "FAILED")]
        assert len(ends) == 1
        assert states[-1] == ends[0], f"it went on after its end: {states}"
        assert "PENDING" not in states[1:]
    trial.healed()
    failed = trial.states(ids).count("FAILED")
    trial.survives(within=10, failed=failed, effect_each=False, marker=False)


@FORGED
@pytest.mark.quick
def test_what_is_not_signed_for_this_run_now_is_refused_and_changes_nothing(trial: Trial, broken: Server) -> None:
    ids = trial.submit("debug_task", count=5)
    mine, other = ids[:2]
    for run_id in ids:
        broken.begin(run_id)

    def post(signed_for: str, about: str, secret: str = SECRET, age: float = 0.0, tamper: bytes = b"") -> int:
        body = json.dumps({"id": about, "status": "FAILED", "worker": "x", "attempt": 1, "began": 1.0}).encode()
        stamp = f"{time.time() - age:.3f}"
        headers = {
            "Content-Type": "application/json", "X-Run-Id": signed_for, "X-Timestamp": stamp,
            "X-Signature": sign(secret, signed_for, stamp, body),
        }  # fmt: skip
        return broken.http.post("/update_task_status_api/", content=body + tamper, headers=headers).status_code

    assert post(mine, mine, secret="guessed") == 401
    assert post(mine, mine, age=400) == 401
    assert post(mine, mine, age=-400) == 401
    assert post(mine, mine, tamper=b" ") == 401
    assert post(mine, other) == 403
    assert trial.states(ids) == [trial.states([mine])[0]] * 5, "somebody was believed"
    assert "FAILED" not in trial.states(ids)
    for run_id in ids:
        assert broken.end(run_id).status_code == 200
    assert post(mine, mine) == 409
    trial.healed()

    assert trial.survives(within=10, effect_each=False, marker=False)["raw"].done == 5
