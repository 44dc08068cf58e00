"""Reading and changing runs over HTTP: lists by key, waiting, cancelling, retrying, timelines."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.api.server import Server, serving
from tests.kit import best_of, until


def test_pages_show_each_run_once_while_new_ones_arrive(own_server: Server) -> None:
    wanted = own_server.submit(count=25)
    seen: list[str] = []
    before: str | None = None
    while True:
        query = {"limit": 10} | ({"before": before} if before else {})
        page = own_server.http.get("/api/runs", params=query).json()
        seen += [run["id"] for run in page["runs"]]
        own_server.submit(count=3)
        if (before := page["next"]) is None:
            break

    assert seen == wanted[::-1]


def test_a_list_is_filtered_by_lane_state_and_job(own_server: Server) -> None:
    own_server.submit("inline", "debug_task", count=2)
    own_server.submit("raw", "debug_task")
    own_server.submit("inline", "process_task", args={"task_num": 1, "timeout": 0})

    def listed(**query: str) -> int:
        return len(own_server.http.get("/api/runs", params=query).json()["runs"])

    assert listed(lane="inline") == 3
    assert listed(lane="inline", job="debug_task") == 2
    assert listed(state="PENDING") == listed(lane="raw") == 1
    assert listed(lane="raw", state="DONE") == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lane=fast", "'celery', 'raw' or 'inline'"),
        ("state=done", "'DONE'"),
        ("job=nothing", "no job is called 'nothing'"),
        ("limit=0", "query.limit"),
        ("limit=1000", "query.limit"),
        ("before=%00", "query.before"),
    ],
)
def test_a_wrong_filter_is_refused_in_words(server: Server, query: str, words: str) -> None:
    reply = server.http.get(f"/api/runs?{query}")

    assert reply.status_code == 422
    assert words in reply.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")],
)
@pytest.mark.parametrize("run_id", ["019a9f00-0000-7000-8000-000000000001", "x" * 300, "%00", "%F0%9F%9A%97"])
def test_an_unknown_run_is_404(server: Server, method: str, path: str, run_id: str) -> None:
    reply = server.http.request(method, f"/api/runs/{run_id}{path}")

    assert (reply.status_code, reply.json()["error"]) == (404, "unknown_run")


def test_waiting_for_a_run_is_answered_when_it_ends(server: Server) -> None:
    (run_id,) = server.submit()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.http.get, f"/api/runs/{run_id}?wait=20")
        server.begin(run_id)
        server.end(run_id, result={"x": 1})
        reply = waiting.result(timeout=5)

    assert (reply.json()["state"], reply.json()["result"]) == ("DONE", {"x": 1})
    assert reply.json()["latency"] > 0


def test_waiting_in_vain_is_answered_with_how_far_it_is(server: Server) -> None:
    (run_id,) = server.submit()
    began = time.monotonic()
    reply = server.http.get(f"/api/runs/{run_id}?wait=0.5")

    assert reply.json()["state"] == "PENDING"
    assert 0.4 < time.monotonic() - began < 2
    assert server.http.get(f"/api/runs/{run_id}?wait=31").status_code == 422


def test_a_cancelled_run_is_revoked_and_stays_so(server: Server) -> None:
    (run_id,) = server.submit()

    assert server.http.post(f"/api/runs/{run_id}/cancel").json()["state"] == "REVOKED"
    again = server.http.post(f"/api/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["error"]) == (409, "already_ended")
    assert server.report(run_id, "DONE", attempt=1, began=time.time()).status_code == 409
    assert server.run(run_id)["state"] == "REVOKED"


def test_only_an_ended_run_can_be_retried_and_it_keeps_its_own_end(server: Server) -> None:
    (run_id,) = server.submit("raw", "process_task", args={"task_num": 7, "timeout": 0}, priority=2)
    refused = server.http.post(f"/api/runs/{run_id}/retry")
    assert (refused.status_code, refused.json()["error"]) == (409, "not_ended")

    server.http.post(f"/api/runs/{run_id}/cancel")
    reply = server.http.post(f"/api/runs/{run_id}/retry")
    assert reply.status_code == 202
    again = server.run(reply.json()["runs"][0]["id"])
    assert (again["parent"], again["state"], again["priority"]) == (run_id, "PENDING", 2)
    assert again["args"]["task_num"] == 7
    assert server.run(run_id)["state"] == "REVOKED"


def test_an_inline_run_is_retried_inline(server: Server) -> None:
    (run_id,) = server.submit("inline", "break_down")
    reply = server.http.post(f"/api/runs/{run_id}/retry")

    assert reply.status_code == 200
    assert reply.json()["runs"][0]["state"] == "FAILED"


# ---------------------------------------------------------------- timelines


def test_a_timeline_tells_what_happened_in_order(server: Server) -> None:
    (run_id,) = server.submit("raw", "fail_times", args={"times": 1})
    server.begin(run_id)
    server.end(run_id, "RETRYING", error="Retryable: not yet", after=0.1)
    server.begin(run_id)
    server.end(run_id)

    def complete() -> Any:
        told = server.http.get(f"/api/runs/{run_id}/events").json()
        return told["complete"] and told

    told = until(complete, 5, "the ledger has it all")
    assert [event["event"] for event in told["events"]] == ["accepted", "started", "retry", "started", "succeeded"]
    assert [event["attempt"] for event in told["events"]] == [0, 1, 1, 2, 2]
    assert told["events"][2]["detail"] == "Retryable: not yet"


def test_without_the_ledger_the_row_still_tells_the_end(without_redis: Server) -> None:
    (run_id,) = without_redis.submit("inline", "process_task", args={"task_num": 1, "timeout": 0.1})
    told = without_redis.http.get(f"/api/runs/{run_id}/events").json()

    assert [event["event"] for event in told["events"]] == ["accepted", "started", "succeeded"]
    assert not told["complete"]


# ---------------------------------------------------------------- the rest of the JSON API


def test_the_catalogue_says_all_a_form_needs(server: Server) -> None:
    jobs = {job["name"]: job for job in server.http.get("/api/jobs").json()["jobs"]}
    task = jobs["process_task"]

    assert (task["queue"], task["max_priority"], task["policy"]["max_attempts"]) == ("default", 5, 4)
    assert task["arguments"]["required"] == ["task_num", "timeout"]
    assert jobs["sync_channels"]["schedule"] == ["*/1 * * * *"]
    assert jobs["process_post"]["message_ttl"] == 3_600


def test_a_workflow_is_listed_with_its_steps(server: Server) -> None:
    listed = server.http.get("/api/jobs").json()["workflows"]
    workflow = next(each for each in listed if each["name"] == "describe_post")

    assert workflow["steps"] == ["classify_post", "extract_data", "generate_description"]
    assert workflow["arguments"]["required"] == ["text"]


def test_every_job_and_workflow_accepts_its_own_example(own_server: Server) -> None:
    listed = own_server.http.get("/api/jobs").json()
    for job in listed["jobs"] + listed["workflows"]:
        assert own_server.submit("raw", job["name"], args=job["example"]), job["name"]


def test_some_runs_can_be_counted_apart(server: Server) -> None:
    ids = server.submit("inline", "debug_task", count=3) + server.submit("raw", "debug_task")
    counted = server.http.post("/api/summary", json={"ids": ids}).json()

    assert (counted["inline"]["accepted"], counted["inline"]["done"], counted["raw"]["pending"]) == (3, 3, 1)
    assert server.http.post("/api/summary", json={"id": ids}).status_code == 422


def test_queues_of_a_broker_that_is_away_are_unknown_not_empty(server: Server) -> None:
    assert server.http.get("/api/queues").json()["raw"]["default"] is None


@pytest.mark.thorough
def test_a_frozen_broker_holds_up_neither_submitting_nor_counting(tmp_path: Path, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # accepts connections and never answers
        broker = f"amqp://student:qwerty@127.0.0.1:{frozen.getsockname()[1]}/"
        with serving(tmp_path, redis_url.removesuffix("0") + "2", RMQ_URL=broker) as server:
            began = time.monotonic()
            assert server.submit("raw")
            assert server.submit("celery")
            assert time.monotonic() - began < 1
            assert server.http.get("/api/queues").json()["celery"]["default"] is None
            assert time.monotonic() - began < 4
            assert server.stop() < 15


def test_an_export_is_imported_and_again_without_doubling(server: Server) -> None:
    export = {
        "name": "Cars",
        "messages": [{"id": 1, "type": "message", "text": "Продаю"}, {"id": 2, "type": "service"}],
    }
    first, second = (server.http.post("/api/posts", json=export) for _ in range(2))

    assert (first.status_code, first.json()["imported"], first.json()["skipped"]) == (201, 1, 1)
    assert first.json()["posts"] == second.json()["posts"]


def test_a_message_that_cannot_be_read_is_named_and_the_others_are_imported(server: Server) -> None:
    bad = {"id": "one", "type": "message", "text": "half \ud83d"}
    export = {"name": "Bad ones", "messages": [bad, {"id": 2, "type": "message", "text": "half \ud83d"}]}
    reply = server.http.post(
        "/api/posts", content="\ufeff" + json.dumps(export), headers={"Content-Type": "application/json"}
    )

    assert (reply.status_code, reply.json()["imported"]) == (201, 1)
    (sentence,) = reply.json()["unreadable"]
    assert "without a numeric id" in sentence


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"chats": 1},
        {"messages": [1]},
        {"messages": [{"id": "one"}]},
        {"messages": [{"id": 2**70, "type": "message"}]},
    ],
    ids=str,
)
def test_what_is_no_export_is_refused_and_told_how_to_make_one(server: Server, wrong: Any) -> None:
    reply = server.http.post("/api/posts", json=wrong)

    assert (reply.status_code, reply.json()["error"]) == (422, "invalid_arguments")
    assert "Export chat history" in reply.json()["message"]


# ---------------------------------------------------------------- lists, waits


def test_a_wait_is_over_within_milliseconds_of_the_end(server: Server) -> None:
    def late() -> float:
        """The milliseconds from a run's end to the end of the wait for it."""
        (run_id,) = server.submit()
        server.begin(run_id)
        with ThreadPoolExecutor(1) as pool, server.fresh_client() as client:
            waiting = pool.submit(lambda: (client.get(f"/api/runs/{run_id}?wait=20").json(), time.time()))
            time.sleep(0.7)  # by now, a wait that asks the database itself would ask only twice a second
            server.end(run_id)
            run, answered_at = waiting.result(timeout=5)
        return float(answered_at - run["finished_at"]) * 1000

    assert best_of(10, late, 30) < 30


@pytest.mark.thorough
def test_without_redis_a_wait_ends_all_the_same(without_redis: Server) -> None:
    (run_id,) = without_redis.submit()
    with ThreadPoolExecutor(1) as pool, without_redis.fresh_client() as client:
        waiting = pool.submit(client.get, f"/api/runs/{run_id}?wait=8")
        without_redis.begin(run_id)
        without_redis.end(run_id)
        assert waiting.result(timeout=5).json()["state"] == "DONE"


def test_a_list_carries_no_long_arguments_and_the_run_has_them(server: Server) -> None:
    long = "x" * 500_000
    ids = server.submit("raw", "test_task", count=20, args={"message": long})
    listed = server.http.get("/api/runs", params={"job": "test_task", "limit": 20})

    assert len(listed.content) < 50_000
    run = listed.json()["runs"][0]
    assert (run["args"], run["args_size"]) == (None, len(long) + len('{"message": ""}'))
    assert server.run(ids[0])["args"]["message"] == long
    assert f"{run['args_size']:,} characters" in server.http.get("/?job=test_task").text


def test_arguments_times_count_are_bounded(server: Server) -> None:
    body = {"job": "test_task", "lane": "raw", "args": {"message": "x" * 900_000}, "count": 200}
    reply = server.http.post("/api/runs", json=body)

    assert (reply.status_code, reply.json()["error"]) == (413, "arguments_too_large")
    assert "send count 17 or less" in reply.json()["message"]


def test_a_page_after_nothing_known_is_refused_and_after_a_deleted_run_goes_on(server: Server) -> None:
    server.submit()
    reply = server.http.get("/api/runs?before=by-hand")

    assert (reply.status_code, reply.json()["error"]) == (422, "unknown_run")
    assert server.http.get("/api/runs?before=ffffffff-ffff-7000-8000-000000000000&limit=1").json()["runs"]


def test_the_runs_that_one_asked_for_are_listed(server: Server) -> None:
    (run_id,) = server.submit("inline", "break_down")
    again = server.http.post(f"/api/runs/{run_id}/retry").json()["runs"][0]["id"]

    assert [run["id"] for run in server.http.get(f"/api/runs?parent={run_id}").json()["runs"]] == [again]
    assert server.http.get(f"/api/runs?parent={run_id}&state=PENDING").json()["runs"] == []


def test_twenty_thousand_ids_are_counted(server: Server) -> None:
    ids = server.submit(count=1_000)
    strangers = [f"{number:036d}" for number in range(19_000)]
    counted = server.http.post("/api/summary", json={"ids": [*ids, *strangers]})

    assert counted.json()["raw"]["accepted"] == 1_000
    assert server.http.post("/api/summary", json={"ids": ["a\0b"]}).status_code == 422
