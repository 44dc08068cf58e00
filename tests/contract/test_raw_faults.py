"""The hand-written consumer when its processes die, are told to stop, or lose their broker."""

import json
import os
import signal
import subprocess
import time

import pytest

from cars_bot import database, runs
from commands.common.state import is_alive
from raw_consumer.publisher import Publisher
from tests.contract.raw_lane import RawLane
from tests.kit import best_of, until


def at_work(raw: RawLane, count: int) -> None:
    """Wait until so many jobs have started."""
    until(lambda: len(raw.starts()) >= count, 10, f"{count} jobs are at work: {raw.tail()}")


# ---------------------------------------------------------------- lost processes


@pytest.mark.thorough
def test_a_message_that_kills_every_process_it_meets_ends_failed_and_its_neighbours_are_done(raw: RawLane) -> None:
    worker = raw.worker()
    (poison,) = raw.submit("die")
    neighbours = raw.submit("trace", count=20, seconds=0.1)

    assert raw.ended([poison, *neighbours]) == ["FAILED"] + ["DONE"] * 20
    assert raw.effects(neighbours) == 20
    run = raw.run(poison)
    assert run.attempt == run.max_attempts == 3
    assert 3 <= len(raw.starts(poison)) <= 4  # the first start may die before any of it is stored
    until(lambda: [letter.run_id for letter in raw.dead()] == [poison], 15, "it is the one dead letter")
    assert worker.poll() is None
    assert len(raw.children(worker)) == 2


def test_a_killed_child_is_replaced_at_once_and_its_job_is_done_by_another(raw: RawLane) -> None:
    worker = raw.worker()
    ids = raw.submit("trace", count=4, seconds=1.0)
    at_work(raw, 2)
    victim = raw.starts()[0][1]
    os.kill(victim, signal.SIGKILL)

    until(lambda: len(raw.children(worker)) == 2 and victim not in raw.children(worker), 5, "there are two again")
    assert raw.ended(ids) == ["DONE"] * 4
    assert raw.effects(ids) == 4


def test_a_worker_killed_with_all_its_children_loses_nothing(raw: RawLane) -> None:
    worker = raw.worker()
    ids = raw.submit("trace", count=20, seconds=0.2)
    at_work(raw, 5)
    os.killpg(worker.pid, signal.SIGKILL)
    raw.worker()

    assert raw.ended(ids) == ["DONE"] * 20
    assert raw.effects(ids) == 20


def test_children_do_not_outlive_their_parent(raw: RawLane) -> None:
    worker = raw.worker()
    children = raw.children(worker)
    raw.submit("trace", seconds=30.0)
    at_work(raw, 1)
    os.kill(worker.pid, signal.SIGKILL)

    until(lambda: not any(map(is_alive, children)), 10, "the children are gone")


@pytest.mark.parametrize("where", ["on-receipt", "before-outcome", "after-outcome"])
def test_a_child_may_die_at_any_step(raw: RawLane, where: str) -> None:
    raw.worker(CRASH_AT=where, CRASH_ONCE=str(raw.folder / "crashed"))
    ids = raw.submit("trace", count=10)

    assert raw.ended(ids) == ["DONE"] * 10
    assert (raw.folder / "crashed").exists()
    assert raw.effects(ids) == 10


def test_a_child_that_dies_between_publishing_a_retry_and_acknowledging_makes_a_copy_not_a_loss(raw: RawLane) -> None:
    raw.worker(CRASH_AT="after-retry-publish", CRASH_ONCE=str(raw.folder / "crashed"))
    ids = raw.submit("wait_as_told", seconds=0.5)

    assert raw.ended(ids) == ["DONE"]
    assert (raw.folder / "crashed").exists()
    until(lambda: raw.depth("raw.delay.02") == raw.depth("raw.default") == 0, 10, "the copy has come")
    assert raw.effects(ids) == 1


@pytest.mark.thorough
def test_children_are_replaced_after_so_many_jobs(raw: RawLane) -> None:
    raw.worker("--concurrency", "1", "--max-jobs-per-child", "3")
    ids = raw.submit("trace", count=9, seconds=0.4)

    assert raw.ended(ids) == ["DONE"] * 9
    processes = [pid for _, pid, *_ in raw.starts()]
    assert len(processes) == 9
    assert [processes.count(pid) for pid in dict.fromkeys(processes)] == [3, 3, 3]


# ---------------------------------------------------------------- time limits


def test_the_soft_limit_interrupts_a_job_on_time(raw: RawLane) -> None:
    def ran() -> float:
        (run_id,) = raw.submit("interrupted", seconds=30.0)
        assert raw.ended([run_id]) == ["FAILED"]
        run = raw.run(run_id)
        assert "TimeLimitExceeded" in run.error
        assert raw.effects([run_id]) == 0
        return float(run.finished_at - raw.starts(run_id)[0][0])

    raw.worker()
    assert 0.1 < best_of(5, ran, 0.8) < 0.8  # the limit is 0.5 s; a busy machine lets the job start late


def test_the_hard_limit_ends_a_job_that_nothing_interrupts_and_it_is_not_tried_again(raw: RawLane) -> None:
    raw.worker()
    (run_id,) = raw.submit("overrun", seconds=30.0)
    neighbours = raw.submit("trace", count=10, seconds=0.1)

    assert raw.ended([run_id, *neighbours]) == ["FAILED"] + ["DONE"] * 10
    run = raw.run(run_id)
    assert "killed after" in run.error
    assert run.finished_at - run.accepted_at > 1.4  # not before its limit; the job may write its first line late
    assert run.finished_at - raw.starts(run_id)[0][0] < 10
    until(lambda: [letter.run_id for letter in raw.dead()] == [run_id], 15, "it is the one dead letter")
    assert len(raw.starts(run_id)) == 1
    assert raw.effects([run_id]) == 0


def test_a_revoked_run_is_stopped_where_it_is(raw: RawLane) -> None:
    raw.worker()
    (run_id,) = raw.submit("trace", seconds=30.0)
    at_work(raw, 1)
    victim = raw.starts()[0][1]
    runs.end_open(run_id, "REVOKED", "by the test")

    until(lambda: not is_alive(victim), 10, "its child is killed")
    assert raw.ended(raw.submit("trace")) == ["DONE"]
    assert raw.states([run_id]) == ["REVOKED"]
    until(lambda: raw.depth("raw.default") == 0, 10, "its message is used up")
    assert len(raw.starts(run_id)) == 1
    assert raw.dead() == []


# ---------------------------------------------------------------- stopping


def test_sigterm_lets_the_jobs_in_hand_finish_and_leaves_the_others_to_others(raw: RawLane) -> None:
    worker = raw.worker()
    ids = raw.submit("trace", count=6, seconds=1.5)
    at_work(raw, 2)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 0
    assert len(raw.starts()) == 2
    assert raw.states(ids).count("DONE") == 2
    assert raw.depth("raw.default") == 4
    raw.worker()
    assert raw.ended(ids) == ["DONE"] * 6
    assert raw.effects(ids) == len(raw.starts()) == 6


@pytest.mark.thorough
def test_a_worker_that_is_told_to_stop_while_it_reads_ahead_leaves_no_run_begun(raw: RawLane) -> None:
    ids = raw.submit("trace", count=3_000)
    for done in (500, 1_500):
        worker = raw.worker()
        until(lambda done=done: len(raw.starts()) >= done, 20, f"{done} have begun")  # type: ignore[misc]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
        assert set(raw.states(ids)) <= {"DONE", "PENDING"}

    raw.worker()
    assert raw.ended(ids, 40) == ["DONE"] * 3_000
    assert len(raw.starts()) == 3_000, "each has begun once"


@pytest.mark.thorough
def test_a_connection_that_is_cut_while_a_worker_reads_ahead_has_nothing_done_twice(raw: RawLane) -> None:
    ids = raw.submit("trace", count=3_000)
    raw.worker()
    for done in (500, 1_500):
        until(lambda done=done: len(raw.starts()) >= done, 20, f"{done} have begun")  # type: ignore[misc]
        raw.servers.rabbitmqctl("close_all_connections", "cut by the test")

    assert raw.ended(ids, 40) == ["DONE"] * 3_000
    assert len(raw.starts()) == raw.effects(ids) == 3_000
    assert {raw.run(run_id).attempt for run_id in ids} == {1}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGQUIT]]
)
def test_a_second_signal_or_sigquit_ends_at_once_and_the_job_is_done_later(
    raw: RawLane, signals: tuple[signal.Signals, ...]
) -> None:
    worker = raw.worker("--concurrency", "1")
    ids = raw.submit("slow_once", seconds=60.0)
    at_work(raw, 1)
    for number in signals:
        worker.send_signal(number)
        until(lambda: "stopping" in raw.tail(), 10, "it has heard")

    assert worker.wait(10) == 1
    raw.worker()
    assert raw.ended(ids) == ["DONE"]
    assert raw.effects(ids) == 1


@pytest.mark.thorough
def test_jobs_that_take_too_long_to_finish_are_cut_off_and_done_later(raw: RawLane) -> None:
    worker = raw.worker("--stop-seconds", "0.5")
    ids = raw.submit("slow_once", seconds=60.0)
    at_work(raw, 1)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 1
    raw.worker()
    assert raw.ended(ids) == ["DONE"]
    assert raw.effects(ids) == 1


def test_a_worker_stops_while_its_broker_is_away(raw: RawLane) -> None:
    worker = raw.worker("--concurrency", "1", wait=False, RMQ_URL="amqp://student:qwerty@127.0.0.1:1/")
    until(lambda: "no connection" in raw.tail(), 10, "it tries to connect")
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 0


# ---------------------------------------------------------------- the broker


@pytest.mark.thorough
def test_a_worker_comes_back_after_its_broker_and_drains_what_was_there(raw: RawLane) -> None:
    worker = raw.worker()
    children = raw.children(worker)
    ids = raw.submit("trace", count=40, seconds=0.2)
    at_work(raw, 4)
    raw.servers.restart_rabbitmq()

    assert raw.ended(ids, 40) == ["DONE"] * 40
    assert raw.effects(ids) == 40
    assert raw.children(worker) == children


@pytest.mark.thorough
def test_connections_cut_off_again_and_again_are_made_again(raw: RawLane) -> None:
    raw.worker()
    ids = raw.submit("trace", count=60, seconds=0.1)
    for _ in range(3):
        raw.servers.rabbitmqctl("close_all_connections", "--vhost", raw.virtual_host, "cut by the test")

    assert raw.ended(ids, 40) == ["DONE"] * 60
    assert raw.effects(ids) == 60


def test_a_deleted_queue_is_declared_again(raw: RawLane) -> None:
    raw.worker()
    raw.ended(raw.submit("trace"))
    with raw.channel() as channel:
        channel.queue_delete("raw.default")

    until(lambda: "was its queue deleted" in raw.tail(), 5, "the worker has noticed")
    ids = raw.accept("trace", count=5)
    until(lambda: len(raw.publish(ids)) == 5, 10, "the queue is there again")
    assert raw.ended(ids) == ["DONE"] * 5


def test_a_publish_that_reaches_no_queue_is_not_confirmed_and_mends_the_topology(raw: RawLane) -> None:
    raw.submit("trace")
    with raw.channel() as channel:
        channel.queue_delete("raw.default")
    ids = raw.accept("trace", count=3)

    assert raw.publish(ids) == []
    assert raw.publish(ids) == ids
    assert raw.depth("raw.default") == 3


def test_a_broker_that_is_away_confirms_nothing_and_raises_nothing(raw: RawLane) -> None:
    ids = raw.accept("trace")
    publisher = Publisher("amqp://student:qwerty@127.0.0.1:1/")
    began = time.monotonic()

    assert publisher.publish([raw.run(ids[0])], timeout=1.0) == []
    assert time.monotonic() - began < 5.0
    publisher.close()


@pytest.mark.thorough
def test_a_broker_under_an_alarm_confirms_nothing_in_time_and_everything_afterwards(raw: RawLane) -> None:
    raw.worker()
    ids = raw.accept("trace", count=10)
    raw.publish(ids[:1])
    raw.servers.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    try:
        began = time.monotonic()
        confirmed = raw.publisher.publish([raw.run(run_id) for run_id in ids], timeout=2.0)
        assert confirmed == []
        assert time.monotonic() - began < 5.0
    finally:
        raw.servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "512MB")

    until(lambda: len(raw.publish(ids)) == 10, 30, "the alarm is over")
    assert raw.ended(ids) == ["DONE"] * 10
    assert raw.effects(ids) == 10


def test_a_worker_does_its_work_without_redis(raw: RawLane) -> None:
    raw.worker(REDIS_URL="redis://127.0.0.1:1/0")
    ids = raw.submit("trace", count=20)

    assert raw.ended(ids) == ["DONE"] * 20


@pytest.mark.thorough
def test_a_database_that_is_locked_for_a_while_loses_nothing(raw: RawLane) -> None:
    raw.worker()
    ids = raw.accept("trace", count=10)
    raw.publish(ids)
    with database.writing():
        time.sleep(6)  # longer than anyone waits for the lock

    assert raw.ended(ids, 30) == ["DONE"] * 10
    assert raw.effects(ids) == 10


# ---------------------------------------------------------------- the scheduler's process


def test_the_scheduler_leads_and_ends_when_told(raw: RawLane) -> None:
    command = [*raw.command("scheduler", "--name", "s")]
    with (raw.folder / "scheduler.log").open("wb") as log:
        process = subprocess.Popen(command, env=raw.environment, stderr=log, start_new_session=True)
    raw.workers.append(process)

    until(lambda: "leads" in (raw.folder / "scheduler.log").read_text(), 10, "it leads")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in (0, -signal.SIGTERM)
    assert json.dumps("s leads")[1:-1] in (raw.folder / "scheduler.log").read_text()
