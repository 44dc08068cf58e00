"""Reports over HTTP: each is signed, is about its own run, and moves it only forwards; a copy changes nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from cars_bot.run_store.signature import sign
from tests.api.server import SECRET, Server
from tests.kit import NO_TLS


def post(server: Server, signed_for: str, body: bytes, *, secret: str = SECRET, **headers: str) -> httpx.Response:
    stamp = f"{time.time():.3f}"
    signature = sign(secret, signed_for, stamp, body)
    return server.http.post(
        "/update_task_status_api/",
        content=body,
        headers={"Content-Type": "application/json", "X-Run-Id": signed_for, "X-Timestamp": stamp,
                 "X-Signature": signature} | headers,
    )  # fmt: skip


def done(run_id: str) -> bytes:
    return json.dumps({"id": run_id, "status": "DONE", "worker": "w", "attempt": 1, "began": 1.0}).encode()


def test_a_run_goes_its_way_by_reports_alone(server: Server) -> None:
    (run_id,) = server.submit()

    assert server.begin(run_id) == 1
    assert server.run(run_id)["state"] == "IN_PROGRESS"
    assert server.end(run_id, "RETRYING", error="not yet", after=0.0).status_code == 200
    assert server.run(run_id)["state"] == "RETRYING"
    assert server.begin(run_id) == 2
    assert server.end(run_id, result=[1, 2], effects=[["test", f"k-{run_id}", {"x": 1}]]).status_code == 200

    run = server.run(run_id)
    assert (run["state"], run["attempt"], run["result"], run["worker"]) == ("DONE", 2, [1, 2], "worker-1")
    counted = server.http.post("/api/summary", json={"ids": [run_id]}).json()["raw"]
    assert (counted["effects"], counted["duplicated"]) == (1, 0)


def test_a_run_sent_by_hand_is_taken_into_the_books(server: Server) -> None:
    run_id = "by-hand-1"
    reply = server.report(run_id, "IN_PROGRESS", job="debug_task", lane="raw", args={})

    assert reply.json() == {"attempt": 1, "args": {}, "waits": 0, "waited": 0.0}
    assert server.run(run_id)["state"] == "IN_PROGRESS"


def test_a_forged_report_is_401_and_changes_nothing(server: Server) -> None:
    (run_id,) = server.submit()
    body = done(run_id)

    assert post(server, run_id, body, secret="guessed").status_code == 401
    assert post(server, run_id, body, **{"X-Signature": "0" * 64}).status_code == 401
    assert post(server, run_id, body, **{"X-Signature": "not hexadecimal"}).status_code == 401
    assert post(server, run_id, body, **{"X-Timestamp": "1000.0"}).status_code == 401
    assert server.http.post("/update_task_status_api/", content=body, headers={"Content-Type": "application/json"}
                            ).status_code == 401  # fmt: skip
    assert server.run(run_id)["state"] == "PENDING"


def test_a_tampered_body_is_401(server: Server) -> None:
    (run_id,) = server.submit()
    stamp = f"{time.time():.3f}"
    headers = {"Content-Type": "application/json", "X-Run-Id": run_id, "X-Timestamp": stamp,
               "X-Signature": sign(SECRET, run_id, stamp, done(run_id))}  # fmt: skip
    reply = server.http.post("/update_task_status_api/", content=done(run_id) + b" ", headers=headers)

    assert reply.status_code == 401


def test_an_old_report_is_401(server: Server) -> None:
    (run_id,) = server.submit()

    assert server.report(run_id, "DONE", at=time.time() - 400, attempt=1, began=1.0).status_code == 401


def test_a_report_about_another_run_than_the_one_signed_for_is_403(server: Server) -> None:
    mine, other = server.submit(count=2)
    reply = post(server, mine, done(other))

    assert (reply.status_code, reply.json()["error"]) == (403, "wrong_run")
    assert server.run(other)["state"] == "PENDING"


def test_the_end_of_an_unknown_run_is_404(server: Server) -> None:
    assert server.report("nobody-knows-it", "DONE", attempt=1, began=1.0).status_code == 404


def test_a_report_that_makes_no_sense_is_422(server: Server) -> None:
    (run_id,) = server.submit()

    for wrong in ({"status": "ASLEEP"}, {"status": "DONE", "attempt": "first"}, {"status": "DONE", "speed": 1}):
        body = json.dumps({"id": run_id, "worker": "w"} | wrong).encode()
        assert post(server, run_id, body).status_code == 422
    unknown = server.report("never-seen", "IN_PROGRESS", job="nothing", lane="raw", args={})
    assert (unknown.status_code, unknown.json()["error"]) == (422, "unknown_job")


def test_an_ended_run_is_409_and_keeps_its_end(server: Server) -> None:
    (run_id,) = server.submit()
    server.begin(run_id)
    assert server.end(run_id, result="first").status_code == 200

    assert server.end(run_id, "FAILED", error="late").status_code == 409
    assert server.report(run_id, "IN_PROGRESS", job="debug_task", lane="raw", args={}).status_code == 409
    assert (server.run(run_id)["state"], server.run(run_id)["result"]) == ("DONE", "first")


def test_the_report_of_an_attempt_that_was_overtaken_is_409(server: Server) -> None:
    (run_id,) = server.submit()
    server.begin(run_id)
    server.end(run_id, "RETRYING", error="again", after=0.0)
    server.begin(run_id)

    for status in ("DONE", "FAILED"):
        reply = server.report(run_id, status, attempt=1, began=1.0, error="")
        assert (reply.status_code, reply.json()["error"]) == (409, "stale_attempt")
    assert server.run(run_id)["state"] == "IN_PROGRESS"


def test_a_replayed_report_gets_the_same_answer_and_changes_nothing(server: Server) -> None:
    (run_id,) = server.submit()
    server.begin(run_id)
    body = json.dumps(
        {"id": run_id, "status": "RETRYING", "worker": "w", "attempt": 1, "began": 1.0, "after": 0}
    ).encode()
    stamp = f"{time.time():.3f}"
    headers = {"Content-Type": "application/json", "X-Run-Id": run_id, "X-Timestamp": stamp,
               "X-Signature": sign(SECRET, run_id, stamp, body)}  # fmt: skip
    first = server.http.post("/update_task_status_api/", content=body, headers=headers)
    server.begin(run_id)
    replayed = server.http.post("/update_task_status_api/", content=body, headers=headers)

    assert (first.status_code, first.json()) == (replayed.status_code, replayed.json())
    assert (server.run(run_id)["state"], server.run(run_id)["attempt"]) == ("IN_PROGRESS", 2)


def test_the_same_report_twenty_times_at_once_counts_once(server: Server) -> None:
    (run_id,) = server.submit()
    server.begin(run_id)
    report = {"id": run_id, "status": "DONE", "worker": "w", "attempt": 1, "began": 1.0}
    body = json.dumps(report | {"effects": [["test", f"k-{run_id}", {}]]}).encode()
    stamp = f"{time.time():.3f}"
    headers = {"Content-Type": "application/json", "X-Run-Id": run_id, "X-Timestamp": stamp,
               "X-Signature": sign(SECRET, run_id, stamp, body)}  # fmt: skip

    def send(_number: int) -> int:
        return httpx.post(f"{server.url}/update_task_status_api/", content=body, headers=headers, trust_env=False,
                          timeout=20, verify=NO_TLS).status_code  # fmt: skip

    with ThreadPoolExecutor(20) as hands:
        answers = set(hands.map(send, range(20)))
    assert 200 in answers
    assert answers <= {200, 409}
    counted = server.http.post("/api/summary", json={"ids": [run_id]}).json()["raw"]
    assert (counted["done"], counted["effects"]) == (1, 1)
