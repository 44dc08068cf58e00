"""Submitting: an accepted run is in the database, a wrong request is refused with a reason, a repeat counts once."""

import json
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.server import Server
from tests.kit import until

TASK = {"job": "process_task", "lane": "raw", "args": {"task_num": 1, "timeout": 0}}


def test_an_accepted_run_is_there_before_any_broker_has_heard_of_it(server: Server) -> None:
    reply = server.http.post("/api/runs", json=TASK | {"priority": 3, "countdown": 60})

    assert reply.status_code == 202
    run = server.http.get(reply.json()["runs"][0]["url"]).json()
    assert (run["state"], run["attempt"], run["published_at"]) == ("PENDING", 0, None)
    assert run["args"] == {"task_num": 1, "timeout": 0.0, "worker_id": "worker"}
    assert run["priority"] == 3
    assert run["due_at"] - run["accepted_at"] == pytest.approx(60, abs=0.1)


def test_a_thousand_are_accepted_at_once_and_in_order(server: Server) -> None:
    ids = server.submit(count=1_000)

    assert len(set(ids)) == 1_000
    assert ids == sorted(ids)


def test_the_inline_lane_answers_when_the_work_is_done(server: Server) -> None:
    reply = server.http.post("/api/runs", json=TASK | {"lane": "inline", "count": 2})

    assert reply.status_code == 200
    assert [run["state"] for run in reply.json()["runs"]] == ["DONE", "DONE"]
    assert server.run(reply.json()["runs"][0]["id"])["result"] == {"status": "success", "task_num": 1}


def test_an_inline_job_that_fails_answers_200_and_failed(server: Server) -> None:
    reply = server.http.post("/api/runs", json={"job": "break_down", "lane": "inline"})

    assert reply.status_code == 200
    assert reply.json()["runs"][0]["state"] == "FAILED"
    assert "ZeroDivisionError" in server.run(reply.json()["runs"][0]["id"])["error"]


@pytest.mark.thorough
def test_a_page_that_is_busy_inline_still_answers(server: Server) -> None:
    slow = TASK | {"lane": "inline", "args": {"task_num": 1, "timeout": 2}}
    with ThreadPoolExecutor(45) as pool:
        waiting = [pool.submit(server.http.post, "/api/runs", json=slow) for _ in range(16)]
        until(lambda: server.http.get("/api/runs?lane=inline&state=PENDING").json()["runs"], 5, "they wait")
        assert server.http.get("/api/summary", timeout=1.5).status_code == 200
        assert all(each.result().json()["runs"][0]["state"] == "DONE" for each in waiting)


# ---------------------------------------------------------------- Idempotency-Key


def send(server: Server, key: str, body: dict[str, Any]) -> Any:
    return server.http.post("/api/runs", json=body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_is_accepted_once_and_answered_alike(server: Server) -> None:
    before = server.counts()
    first, second = (send(server, "once", TASK | {"count": 2}) for _ in range(2))

    assert first.json() == second.json()
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.headers["idempotent-replay"] == "true"
    assert server.counts() == before + 2


def test_the_same_request_ten_times_at_once_is_accepted_once(server: Server) -> None:
    before = server.counts()
    with ThreadPoolExecutor(10) as pool:
        replies = [pool.submit(send, server, "at once", TASK) for _ in range(10)]

    assert {reply.result().status_code for reply in replies} <= {202, 422}
    assert server.counts() == before, "a key with a blank in it is refused"

    with ThreadPoolExecutor(10) as pool:
        replies = [pool.submit(send, server, "at-once", TASK) for _ in range(10)]
    assert len({reply.result().text for reply in replies}) == 1
    assert server.counts() == before + 1


def test_the_same_key_with_another_body_is_refused(server: Server) -> None:
    send(server, "another", TASK)
    reply = send(server, "another", TASK | {"lane": "celery"})

    assert reply.status_code == 422
    assert reply.json()["error"] == "key_reused"


def test_a_repeated_inline_request_is_not_executed_again(server: Server) -> None:
    first, second = (send(server, "inline-once", TASK | {"lane": "inline"}) for _ in range(2))

    assert first.json() == second.json()
    assert second.json()["runs"][0]["state"] == "DONE"


# ---------------------------------------------------------------- what is wrong

WRONG: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("unknown job", TASK | {"job": "proces_task"}, 422, "unknown_job", "there are: "),
    ("unknown lane", TASK | {"lane": "rabbit"}, 422, "invalid_request", "'celery', 'raw' or 'inline'"),
    ("no lane", {"job": "debug_task"}, 422, "invalid_request", "body.lane: is missing"),
    ("no arguments", TASK | {"args": {}}, 422, "invalid_arguments", "task_num: Field required"),
    (
        "a text for a number",
        TASK | {"args": {"task_num": "1", "timeout": 0}},
        422,
        "invalid_arguments",
        "valid integer",
    ),
    (
        "an argument too many",
        TASK | {"args": {"task_num": 1, "timeout": 0, "x": 1}},
        422,
        "invalid_arguments",
        "x: Extra",
    ),
    ("an argument out of range", TASK | {"args": {"task_num": 1, "timeout": -1}}, 422, "invalid_arguments", "timeout"),
    ("arguments that are no object", TASK | {"args": [1, 2]}, 422, "invalid_request", "body.args"),
    ("an unknown field", TASK | {"prioritty": 1}, 422, "invalid_request", "prioritty: this field is unknown"),
    ("priority over the queue's range", TASK | {"priority": 6}, 422, "invalid_arguments", "'default' takes 0 to 5"),
    ("priority under it", TASK | {"priority": -1}, 422, "invalid_arguments", "0 to 5"),
    ("priority as a text", TASK | {"priority": "high"}, 422, "invalid_request", "body.priority"),
    ("priority as a truth", TASK | {"priority": True}, 422, "invalid_request", "body.priority"),
    ("negative countdown", TASK | {"countdown": -1}, 422, "invalid_arguments", "countdown -1.0 is out of range"),
    ("countdown of a year", TASK | {"countdown": 4e7}, 422, "invalid_arguments", "give 0 to 1209600"),
    ("countdown inline", TASK | {"lane": "inline", "countdown": 1}, 422, "invalid_arguments", "cannot wait"),
    ("count of none", TASK | {"count": 0}, 422, "invalid_request", "body.count"),
    ("count of too many", TASK | {"count": 1_001}, 422, "invalid_request", "1000"),
    ("a job's name of any length", TASK | {"job": "x" * 10_000}, 422, "invalid_request", "64 characters"),
]


@pytest.mark.parametrize(("body", "status", "error", "words"), [each[1:] for each in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_refused_in_words(
    server: Server, body: dict[str, Any], status: int, error: str, words: str
) -> None:
    before = server.counts()
    reply = server.http.post("/api/runs", json=body)

    assert reply.status_code == status
    assert reply.json()["error"] == error
    assert words in reply.json()["message"]
    assert server.counts() == before


DEEP = {levels: b"[" * levels + b"]" * levels for levels in (32, 300, 900)}
LONG_IN_UTF_16 = json.dumps(
    {"job": "test_task", "lane": "raw", "args": {"message": "車" * 499_900}}, ensure_ascii=False
).encode("utf-16-le")

RAW_WRONG: list[tuple[str, bytes, int, str]] = [
    ("half of it", b'{"job": "debug_task"', 400, "malformed_json"),
    ("nothing", b"", 422, "invalid_request"),
    ("a list", b"[]", 422, "invalid_request"),
    ("a hundred thousand brackets", b'{"args": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "bad_request"),
    ("not UTF-8", b'{"job": "\xff\xfe"}', 400, "bad_request"),
    (
        "half a character",
        b'{"job": "test_task", "lane": "raw", "args": {"message": "\\ud800"}}',
        422,
        "invalid_request",
    ),
    ("not a number", b'{"job": "overrun", "lane": "raw", "args": {"seconds": NaN}}', 422, "invalid_request"),
    ("a number too large", b'{"job": "overrun", "lane": "raw", "args": {"seconds": 1e999}}', 422, "invalid_request"),
    ("33 levels", b'{"job": "debug_task", "lane": "raw", "args": {"x": %s}}' % DEEP[32], 422, "invalid_request"),
    ("300 levels", b'{"job": "debug_task", "lane": "raw", "args": {"x": %s}}' % DEEP[300], 422, "invalid_request"),
    ("900 levels", b'{"job": "debug_task", "lane": "raw", "args": {"x": %s}}' % DEEP[900], 422, "invalid_request"),
    ("UTF-16 that is more as UTF-8", LONG_IN_UTF_16, 422, "invalid_request"),
    ("infinity", b'{"job": "overrun", "lane": "raw", "args": {"seconds": Infinity}}', 422, "invalid_request"),
]


@pytest.mark.parametrize(("body", "status", "error"), [each[1:] for each in RAW_WRONG], ids=[w[0] for w in RAW_WRONG])
def test_a_body_that_is_no_json_is_refused_in_words(server: Server, body: bytes, status: int, error: str) -> None:
    for headers in ({}, {"Idempotency-Key": f"wrong-{uuid.uuid4()}"}):
        reply = server.http.post("/api/runs", content=body, headers={"Content-Type": "application/json"} | headers)

        assert (reply.status_code, reply.json()["error"]) == (status, error)
        assert len(reply.json()["message"]) > 20


# ---------------------------------------------------------------- when things die


@pytest.mark.thorough
def test_inline_runs_of_an_api_that_died_are_ended_by_the_next_one(own_server: Server) -> None:
    body = TASK | {"lane": "inline", "count": 3, "args": {"task_num": 1, "timeout": 60}}
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(own_server.http.post, "/api/runs", json=body)
        until(lambda: own_server.counts() == 3, 5, "they are accepted")
        own_server.stop(signal.SIGKILL)
        assert request.exception() is not None
    own_server.start()

    runs = own_server.http.get("/api/runs?lane=inline").json()["runs"]
    assert [run["state"] for run in runs] == ["FAILED"] * 3
    assert "the API stopped" in runs[0]["error"]


@pytest.mark.thorough
def test_runs_on_other_lanes_outlive_the_api(own_server: Server) -> None:
    ids = own_server.submit(count=5)
    own_server.stop(signal.SIGKILL)
    own_server.start()

    assert {own_server.run(run_id)["state"] for run_id in ids} == {"PENDING"}
