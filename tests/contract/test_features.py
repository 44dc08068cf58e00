"""Features of the parity table. Each test asks both lanes the same questions.

The tests stop, scale and kill workers. So most of them use a kit of their own, and not the kit that all tests share.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from dotenv import dotenv_values

from tests.contract.conftest import CHILDREN_LIVE_FOR
from tests.contract.test_by_hand import python
from tests.contract.test_lanes import events
from tests.kit import Kit, until

pytestmark = pytest.mark.thorough


@pytest.fixture
def program(lane: str) -> str:
    """The name of the lane's workers in `kit scale`."""
    return {"celery": "celery_worker", "raw": "consumer"}[lane]


@pytest.fixture
def stopped(own_kit: Kit, program: str) -> Iterator[Kit]:
    """The kit while the lane has no worker. Afterwards the lane has one again."""
    own_kit.command("scale", f"{program}=0")
    yield own_kit
    own_kit.command("scale", f"{program}=1")


def waiting(kit: Kit, lane: str) -> dict[str, int]:
    """Return the number of waiting messages per queue, without empty queues."""
    return {queue: count for queue, count in kit.http.get("/api/queues").json()[lane].items() if count}


def held(kit: Kit) -> dict[str, int]:
    """Return the number of messages per queue of both lanes, waiting or unacknowledged, without empty queues."""
    counts = dict(line.split() for line in kit.rabbitmqctl("list_queues", "name", "messages").splitlines())
    queues = {queue: int(count) for queue, count in counts.items() if count.isdecimal()}
    return {queue: count for queue, count in queues.items() if count and not queue.endswith(".dead")}


def sleep_jobs(kit: Kit, lane: str, count: int, seconds: float, **more: int) -> list[str]:
    """Submit jobs that take `seconds` each."""
    return kit.submit(lane, "process_task", count=count, args={"task_num": 1, "timeout": seconds}, **more)


def at_work(kit: Kit, ids: list[str]) -> None:
    """Wait until all of them have begun."""
    until(lambda: all(kit.run(run)["state"] == "IN_PROGRESS" for run in ids), 20, "all are at work")


# ---------------------------------------------------------------- on the way


@pytest.mark.feature("routing to queues")
def test_each_job_waits_in_the_queue_of_its_kind(stopped: Kit, lane: str, program: str) -> None:
    ids = sleep_jobs(stopped, lane, 2, 0)
    ids += stopped.submit(lane, "classify_post", args={"text": "Продам Toyota Camry 2015"})
    ids += stopped.submit(lane, "collect_stats")

    until(lambda: waiting(stopped, lane) == {"default": 2, "ai_processing": 1, "monitoring": 1}, 10, "each in its own")
    stopped.command("scale", f"{program}=1")
    assert stopped.all_ended(ids, 30)["done"] == 4


@pytest.mark.feature("priorities")
def test_a_higher_priority_goes_first_however_late_it_came(stopped: Kit, lane: str, program: str) -> None:
    low = sleep_jobs(stopped, lane, 4, 0.3)
    high = sleep_jobs(stopped, lane, 2, 0.3, priority=5)
    until(lambda: waiting(stopped, lane) == {"default": 6}, 10, "all wait")

    stopped.command("scale", f"{program}=1")
    assert stopped.all_ended([*low, *high], 30)["done"] == 6
    began = {run: stopped.run(run)["started_at"] for run in (*low, *high)}
    assert set(sorted(began, key=lambda run: began[run])[:2]) == set(high)


@pytest.mark.feature("message TTL")
def test_a_message_that_outlives_its_queue_leaves_it_by_itself(stopped: Kit, lane: str) -> None:
    (run_id,) = stopped.submit(lane, "brief")
    until(lambda: "published" in events(stopped, run_id), 10, "it is with the broker")

    until(lambda: waiting(stopped, lane) == {}, 10, "the broker has dropped it: nobody else could")
    assert stopped.ended(run_id)["state"] == "EXPIRED"
    assert "started" not in events(stopped, run_id)


@pytest.mark.feature("prefetch")
def test_a_busy_worker_leaves_to_others_what_it_cannot_begin(own_kit: Kit, lane: str, program: str) -> None:
    long = sleep_jobs(own_kit, lane, 2, 12)
    at_work(own_kit, long)
    short = sleep_jobs(own_kit, lane, 6, 0.1)
    until(lambda: all("published" in events(own_kit, run) for run in short), 10, "they are with the broker")

    own_kit.command("scale", f"{program}=2")
    try:
        assert own_kit.all_ended(short, 10)["done"] == 6
        assert [own_kit.run(run)["state"] for run in long] == ["IN_PROGRESS"] * 2
        assert own_kit.all_ended(long, 30)["done"] == 2
    finally:
        own_kit.command("scale", f"{program}=1")


@pytest.mark.feature("prefetch")
def test_a_worker_that_has_read_ahead_gives_back_what_a_long_job_would_hold_up(
    kit: Kit, lane: str, program: str
) -> None:
    kit.command("scale", f"{program}=0")
    warm = sleep_jobs(kit, lane, 1_000, 0)  # short jobs, so that the worker reads ahead before they end
    long, short = sleep_jobs(kit, lane, 2, 12), sleep_jobs(kit, lane, 6, 0.1)
    # Other queues may hold messages, too, because this kit has a scheduler.
    until(lambda: waiting(kit, lane).get("default") == 1_008, 20, "they wait, one behind the other")
    kit.command("scale", f"{program}=1")
    try:
        at_work(kit, long)
        kit.command("scale", f"{program}=2")
        assert kit.all_ended(short, 10)["done"] == 6
        assert [kit.run(run)["state"] for run in long] == ["IN_PROGRESS"] * 2
        counts = kit.all_ended([*warm, *long], 30)
        assert (counts["done"], counts["effects"], counts["duplicated"]) == (1_002, 1_002, 0)
    finally:
        kit.command("scale", f"{program}=1")


@pytest.mark.feature("prefetch")
def test_the_celery_worker_holds_more_messages_while_jobs_are_short(kit: Kit) -> None:
    if kit.rabbitmqctl("version") >= "4":
        pytest.skip("RabbitMQ 4 does not let a consumer change its prefetch")

    def prefetch() -> int:
        (told,) = control.broadcast("stats", reply=True, limit=1, timeout=5)
        return int(next(iter(told.values()))["prefetch_count"])

    with Celery(broker=dotenv_values(kit.run_dir / "kit.env")["RMQ_URL"]) as asking:
        control = asking.control
        at_first = prefetch()
        ids = [run for _ in range(3) for run in sleep_jobs(kit, "celery", 1_000, 0)]
        until(lambda: prefetch() == 4 * at_first, 20, "it reads ahead")
        assert kit.all_ended(ids, 60)["done"] == 3_000
        until(lambda: prefetch() == at_first, 5, "it waits for the next job")


def test_what_is_not_due_yet_holds_up_nobody(own_kit: Kit, lane: str) -> None:
    later = sleep_jobs(own_kit, lane, 20, 0, countdown=10)
    if lane == "raw":  # these wait in queues of the broker; the Celery lane's wait in the outbox
        until(lambda: all("published" in events(own_kit, run) for run in later), 8, "they are with the broker")
    (now,) = sleep_jobs(own_kit, lane, 1, 0)

    assert own_kit.ended(now)["latency"] < 4
    assert own_kit.run(later[0])["state"] == "PENDING", "they were done before: this test shows nothing"
    assert own_kit.all_ended(later, 40)["done"] == 20


@pytest.mark.feature("confirmed, mandatory publishing")
def test_what_the_broker_has_not_taken_is_not_called_published(own_kit: Kit, lane: str) -> None:
    own_kit.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        ids = sleep_jobs(own_kit, lane, 3, 0)
        deadline = time.monotonic() + 4  # longer than Celery's publisher waits for a confirm
        while time.monotonic() < deadline:
            assert not any("published" in events(own_kit, run) for run in ids)
            time.sleep(0.2)
    finally:
        own_kit.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
    counts = own_kit.all_ended(ids, 40)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (3, 3, 0)


@pytest.mark.feature("reconnect")
def test_workers_whose_connections_are_cut_come_back_by_themselves(own_kit: Kit, lane: str, worker: str) -> None:
    before = own_kit.pid(worker)
    ids = sleep_jobs(own_kit, lane, 40, 0.1)
    for done in (5, 10, 15):
        until(lambda done=done: own_kit.summary(ids)["done"] >= done, 30, f"{done} are done")
        own_kit.rabbitmqctl("close_all_connections", "cut by the test")

    counts = own_kit.all_ended(ids, 60)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (40, 40, 0)
    assert own_kit.pid(worker) == before


# ---------------------------------------------------------------- in the worker


@pytest.mark.feature("ack after the outcome is durable")
def test_what_a_killed_worker_had_in_hand_is_done_by_another(own_kit: Kit, lane: str, worker: str) -> None:
    ids = sleep_jobs(own_kit, lane, 2, 2)
    at_work(own_kit, ids)
    own_kit.kill_group(worker)

    counts = own_kit.all_ended(ids, 40)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (2, 2, 0)
    until(lambda: held(own_kit) == {}, 10, "and acknowledged, so that the broker holds it no more")


@pytest.mark.feature("lost-child handling")
def test_the_job_of_a_child_that_died_is_done_by_another(own_kit: Kit, lane: str, worker: str) -> None:
    before = own_kit.pid(worker)
    ids = own_kit.submit(lane, "die_once", count=2)

    counts = own_kit.all_ended(ids, 13)  # before the reconciler comes
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (2, 2, 0)
    assert own_kit.pid(worker) == before


@pytest.mark.feature("recycling children")
def test_a_child_is_replaced_when_it_has_done_its_number_of_jobs(own_kit: Kit, lane: str) -> None:
    ids = own_kit.submit(lane, "name_process", count=12)
    assert own_kit.all_ended(ids, 40)["done"] == 12

    children = [own_kit.run(run)["result"] for run in ids]
    assert max(children.count(pid) for pid in children) <= CHILDREN_LIVE_FOR


@pytest.mark.feature("warm and cold shutdown")
def test_a_worker_told_to_stop_finishes_what_it_has_begun(own_kit: Kit, lane: str, program: str) -> None:
    begun = sleep_jobs(own_kit, lane, 2, 2)
    at_work(own_kit, begun)
    other = sleep_jobs(own_kit, lane, 1, 0)
    own_kit.command("scale", f"{program}=0")
    try:
        assert [(run["state"], run["attempt"]) for run in map(own_kit.run, begun)] == [("DONE", 1)] * 2
        assert own_kit.run(other[0])["state"] == "PENDING"
    finally:
        own_kit.command("scale", f"{program}=1")
    assert own_kit.ended(other[0])["state"] == "DONE"


@pytest.mark.feature("warm and cold shutdown")
def test_a_worker_told_to_end_at_once_leaves_its_jobs_to_the_next(own_kit: Kit, lane: str, worker: str) -> None:
    ids = sleep_jobs(own_kit, lane, 2, 8)
    at_work(own_kit, ids)
    before = own_kit.pid(worker)
    os.kill(before, signal.SIGQUIT)

    until(lambda: not Path(f"/proc/{before}").exists(), 2, "it has ended, long before its jobs were over")
    counts = own_kit.all_ended(ids, 40)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (2, 2, 0)


@pytest.mark.feature("global rate limit")
def test_no_more_than_the_budget_in_any_window_whatever_the_number_of_workers(
    own_kit: Kit, lane: str, program: str
) -> None:
    own_kit.command("scale", f"{program}=2")
    try:
        ids = own_kit.submit(lane, "limited", count=14, args={"name": lane})
        assert own_kit.all_ended(ids, 40)["done"] == 14
    finally:
        own_kit.command("scale", f"{program}=1")
    at = sorted(own_kit.run(run)["result"] for run in ids)
    assert min(sixth - first for first, sixth in zip(at, at[5:], strict=False)) > 1.9  # of 2.0 s; there are two clocks


# ---------------------------------------------------------------- afterwards


@pytest.mark.feature("results")
def test_whoever_sent_a_job_can_wait_for_its_result(own_kit: Kit, lane: str) -> None:
    (run_id,) = sleep_jobs(own_kit, lane, 1, 0.3)
    wanted = {"status": "success", "task_num": 1}

    assert own_kit.http.get(f"/api/runs/{run_id}", params={"wait": 20}).json()["result"] == wanted
    if lane == "celery":  # and in Celery's own way
        code = f"from celery_app import app\nprint(app.AsyncResult({run_id!r}).get(timeout=20) == {wanted!r})"
        assert python(own_kit, code) == "True"


@pytest.mark.feature("structured logs with the run id")
def test_whatever_is_logged_while_a_job_runs_carries_its_id(own_kit: Kit, lane: str, worker: str) -> None:
    words = f"said on the {lane} lane"
    (run_id,) = own_kit.submit(lane, "speak", args={"words": words})
    own_kit.ended(run_id)

    (log,) = own_kit.run_dir.rglob(f"{worker}.log")
    line = until(lambda: [line for line in log.read_text().splitlines() if words in line], 10, "it is in the log")[0]
    assert f" run={run_id} " in line
    assert " level=WARNING " in line
