"""Revoking, on both lanes: a waiting run never starts, a running one is ended, and its worker is as good as before."""

import socket
import time
from pathlib import Path

import pika
import pika.exceptions
import pytest

from commands.common.state import is_alive
from tests.api.server import redis_server, serving
from tests.kit import Kit, until


def cancel(kit: Kit, run_id: str) -> None:
    """Revoke an open run."""
    reply = kit.http.post(f"/api/runs/{run_id}/cancel")
    assert (reply.status_code, reply.json()["state"]) == (200, "REVOKED"), reply.text


def was_started(kit: Kit, run_id: str) -> bool:
    """Return whether a worker has begun this run."""
    listed = kit.http.get(f"/api/runs/{run_id}/events").json()["events"]
    return "started" in [event["event"] for event in listed]


def dead_letters(kit: Kit, lane: str) -> int:
    """Return how many dead letters the lane has. Over Redis, Celery has no place for them."""
    with pika.BlockingConnection(pika.URLParameters(kit.status()["urls"]["rmq"])) as connection:
        try:
            return int(connection.channel().queue_declare(f"{lane}.dead", passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return 0


def process_at_work(trace: Path) -> int:
    """Wait until a job has written its process id to this file, and return the id."""
    return int(until(lambda: trace.exists() and trace.read_text().splitlines(), 20, "the job works")[0])


def both_work_at_once(kit: Kit, lane: str) -> bool:
    """Send two jobs and return whether one began before the other was over."""
    ids = kit.submit(lane, "process_task", count=2, args={"task_num": 1, "timeout": 1.5})
    assert kit.all_ended(ids, 20)["done"] == 2
    one, other = (kit.run(run_id) for run_id in ids)
    return bool(max(one["started_at"], other["started_at"]) < min(one["finished_at"], other["finished_at"]))


def test_a_run_revoked_behind_others_never_starts(kit: Kit, lane: str) -> None:
    ahead = kit.submit(lane, "process_task", count=2, args={"task_num": 1, "timeout": 2})
    waiting = kit.submit(lane, "process_task", args={"task_num": 2, "timeout": 0})[0]
    cancel(kit, waiting)

    behind = kit.submit(lane, "process_task", args={"task_num": 3, "timeout": 0})
    assert kit.all_ended([*ahead, *behind], 30)["done"] == 3
    assert (kit.run(waiting)["state"], was_started(kit, waiting)) == ("REVOKED", False)


@pytest.mark.feature("revoke")
def test_revoked_runs_are_ended_at_work_and_their_worker_is_whole_again(kit: Kit, lane: str, tmp_path: Path) -> None:
    dead = dead_letters(kit, lane)
    traces = [tmp_path / f"{number}" for number in range(2)]
    ids = [kit.submit(lane, "work_on_stubbornly", args={"path": str(trace), "seconds": 20.0})[0] for trace in traces]
    pids = [process_at_work(trace) for trace in traces]
    neighbours = kit.submit(lane, "process_task", count=4, args={"task_num": 1, "timeout": 0.1})

    for run_id in ids:
        cancel(kit, run_id)
    until(lambda: not any(map(is_alive, pids)), 10, "their processes are gone")

    assert kit.all_ended(neighbours, 30)["done"] == 4
    until(lambda: both_work_at_once(kit, lane), 20, "two run at once, once the new processes are there")
    counts = kit.summary(ids)
    assert (counts["revoked"], counts["effects"]) == (2, 0)
    assert [len(trace.read_text().splitlines()) for trace in traces] == [1, 1], "one was started again"
    assert dead_letters(kit, lane) == dead


def test_one_of_two_is_revoked_and_the_other_is_not_disturbed(kit: Kit, lane: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    run_id = kit.submit(lane, "work_on_stubbornly", args={"path": str(trace), "seconds": 20.0})[0]
    neighbour = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 3})[0]
    pid = process_at_work(trace)

    cancel(kit, run_id)
    until(lambda: not is_alive(pid), 10, "its process is gone")
    run = kit.ended(neighbour)
    assert (run["state"], run["attempt"]) == ("DONE", 1)


def test_a_broker_that_does_not_answer_holds_up_no_revoking(tmp_path: Path) -> None:
    with socket.socket() as frozen, redis_server(tmp_path) as redis_url:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen(100)  # connections are accepted, but nobody ever answers
        broker = f"amqp://student:qwerty@127.0.0.1:{frozen.getsockname()[1]}/"
        with serving(tmp_path, redis_url, RMQ_URL=broker) as api:
            ids = [api.submit(lane="celery", job="debug_task")[0] for _ in range(10)]
            for run_id in ids:
                began = time.monotonic()
                assert api.http.post(f"/api/runs/{run_id}/cancel").json()["state"] == "REVOKED"
                assert time.monotonic() - began < 3
