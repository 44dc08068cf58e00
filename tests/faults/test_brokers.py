"""Faults 13 to 17 and 20 to 22: a broker that dies, stops, freezes, cuts, is full, or has lost its queues.

Both lanes use the same broker. So the test loads both at the same time, and each gets its own verdict.
"""

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.trial import Trial
from tests.kit import until

KILLED = pytest.mark.fault(13, "the broker is SIGKILLed under load")
STOPPED = pytest.mark.fault(14, "the broker is stopped and started")
FROZEN = pytest.mark.fault(15, "the broker is frozen for 30 s")
DISCONNECTED = pytest.mark.fault(16, "all connections are cut, 20 times")
CLOSED = pytest.mark.fault(17, "no new connections")
ALARM = pytest.mark.fault(20, "a memory or disk alarm")
FULL = pytest.mark.fault(21, "a queue is full")
DELETED = pytest.mark.fault(22, "a queue or its binding is deleted")

PROMPT = 3.0  # seconds: a submit waits for no broker, but this machine may be busy


def for_a_while(seconds: float) -> None:
    """Let the fault last for so many seconds."""
    time.sleep(seconds)


def answers(trial: Trial) -> bool:
    """Return whether the broker accepts a connection."""
    try:
        return trial.depth("celery.dead") >= 0
    except Exception:
        return False


@KILLED
@pytest.mark.quick
def test_a_broker_killed_under_load_loses_nothing_that_was_accepted(trial: Trial) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        os.kill(trial.kit.pid("rabbitmq"), signal.SIGKILL)
        until(lambda: answers(trial), 60, "the broker is back")
    trial.healed()

    trial.survives(within=90)
    assert trial.slowest < PROMPT, "a submit waited for the broker"
    assert trial.refused == 0


@STOPPED
def test_a_broker_that_is_stopped_for_a_while_is_waited_for(trial: Trial) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        trial.kit.rabbitmqctl("stop_app")
        for_a_while(5)
        trial.kit.rabbitmqctl("start_app")
    trial.healed()

    trial.survives(within=90)
    assert trial.slowest < PROMPT


@FROZEN
def test_a_broker_frozen_for_half_a_minute_holds_up_no_submit(trial: Trial) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        os.kill(trial.kit.pid("rabbitmq"), signal.SIGSTOP)
        try:
            for_a_while(30)
        finally:
            os.kill(trial.kit.pid("rabbitmq"), signal.SIGCONT)
    trial.healed()

    trial.survives(within=120)
    assert trial.slowest < PROMPT, "a submit waited for the broker"


@DISCONNECTED
def test_connections_cut_twenty_times_are_made_again_and_none_is_left_over(trial: Trial) -> None:
    with trial.load():
        for _ in range(20):
            trial.kit.rabbitmqctl("close_all_connections", "cut by the test")
    trial.healed()

    trial.survives(within=90)
    connections = trial.kit.rabbitmqctl("list_connections", "pid").split()
    assert len(connections) < 30


@CLOSED
def test_a_broker_that_takes_no_new_connections_is_asked_again_until_it_does(trial: Trial) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        trial.kit.rabbitmqctl("suspend_listeners")
        trial.kit.rabbitmqctl("close_all_connections", "cut by the test")
        for_a_while(8)
        trial.kit.rabbitmqctl("resume_listeners")
    trial.healed()

    trial.survives(within=90)
    assert trial.slowest < PROMPT


@ALARM
@pytest.mark.parametrize(
    ("raise_it", "lift_it"),
    [
        (("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "absolute", "512MiB")),
        (("set_disk_free_limit", "900000000000000"), ("set_disk_free_limit", "100MB")),
    ],
    ids=["memory", "disk"],
)
def test_under_an_alarm_runs_are_accepted_promptly_and_done_when_it_is_over(
    trial: Trial, raise_it: tuple[str, ...], lift_it: tuple[str, ...]
) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        trial.kit.rabbitmqctl(*raise_it)
        try:
            for_a_while(15)  # longer than anybody waits for a confirm
        finally:
            trial.kit.rabbitmqctl(*lift_it)
    trial.healed()

    trial.survives(within=90)
    assert trial.slowest < PROMPT, "a submit waited for the broker"


@FULL
def test_what_a_full_queue_refuses_stays_in_the_outbox_until_there_is_room(trial: Trial) -> None:
    limits = json.dumps({"max-length": 5, "overflow": "reject-publish"})
    trial.kit.rabbitmqctl("set_policy", "full", r"^(raw\.)?default$", limits, "--apply-to", "queues")
    try:
        trial.submit(count=40, args={"task_num": 1, "timeout": 0.1})
        for_a_while(3)
        assert max(trial.depth("default"), trial.depth("raw.default")) <= 5
    finally:
        trial.kit.rabbitmqctl("clear_policy", "full")
    trial.healed()

    trial.survives(within=60)
    assert trial.slowest < PROMPT


def delete_queues(trial: Trial) -> None:
    """Delete the lanes' busiest queues with all their messages."""
    with trial.channel() as channel:
        for queue in ("default", "raw.default"):
            channel.queue_delete(queue)


def delete_bindings(trial: Trial) -> None:
    """Delete the bindings of these queues. Messages published from now on reach no queue."""
    with trial.channel() as channel:
        channel.queue_unbind("default", "cars_bot", "default")
        channel.queue_unbind("raw.default", "raw.jobs", "default")


@DELETED
@pytest.mark.parametrize("delete", [delete_queues, delete_bindings], ids=["queue", "binding"])
def test_what_is_deleted_is_declared_again_and_what_was_lost_is_published_again(
    trial: Trial, delete: Callable[[Trial], None]
) -> None:
    trial.submit(count=20)
    with trial.load():
        trial.reach("DONE", 4)
        delete(trial)
        for_a_while(2)
    trial.healed()

    trial.survives(within=120)
    with trial.channel() as channel:  # Celery sends straight to the queue, so only other tests need this
        channel.queue_bind("default", "cars_bot", "default")
