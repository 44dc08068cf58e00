"""The hand-written consumer on a real broker: its promises about every run that it gets."""

import json
import pickle
import time
from datetime import UTC, datetime
from functools import partial

import pika
import pytest

from cars_bot import runs
from raw_consumer import topology
from tests.contract.raw_lane import RawLane
from tests.kit import best_of, until

# ---------------------------------------------------------------- delays


def test_a_retry_comes_back_after_exactly_the_time_it_was_told_to_wait(raw: RawLane) -> None:
    def lateness(seconds: float) -> float:
        (run_id,) = raw.submit("wait_as_told", seconds=seconds)
        assert raw.ended([run_id]) == ["DONE"]
        first, second = (start[0] for start in raw.starts(run_id))
        return second - first - seconds

    raw.worker()
    for seconds in (1.0, 1.7):  # the first pause is at least one second, whatever the job asks
        assert 0 <= best_of(10, partial(lateness, seconds), 0.3) < 0.3


@pytest.mark.thorough
def test_a_countdown_is_kept_to_three_tenths_of_a_second(raw: RawLane) -> None:
    def lateness(seconds: float) -> float:
        (run_id,) = raw.submit("trace", countdown=seconds)
        assert raw.ended([run_id]) == ["DONE"]
        run = raw.run(run_id)
        return run.started_at - run.accepted_at - seconds

    raw.worker()
    for seconds in (0.05, 0.7, 1.5, 3.1):
        assert 0 <= best_of(10, partial(lateness, seconds), 0.3) < 0.3


@pytest.mark.thorough
def test_a_countdown_survives_a_restart_of_the_broker(raw: RawLane) -> None:
    raw.worker()
    (run_id,) = raw.submit("trace", countdown=12.0)
    raw.servers.restart_rabbitmq()

    assert raw.ended([run_id], 60) == ["DONE"]
    run = raw.run(run_id)
    assert run.started_at - run.accepted_at >= 12.0


def test_the_longest_countdown_waits_in_the_broker_and_not_in_a_worker(raw: RawLane) -> None:
    raw.worker()
    raw.submit("trace", countdown=runs.MAX_COUNTDOWN)

    assert raw.ended(raw.submit("trace")) == ["DONE"]
    assert raw.depth("raw.delay.23") == 1


# ---------------------------------------------------------------- order


def test_higher_priorities_start_first(raw: RawLane) -> None:
    for priority in (0, 5, 2, 4, 1, 3) * 3:
        raw.submit("trace", priority=priority, text=str(priority))
    raw.worker("--concurrency", "1")

    until(lambda: len(raw.starts()) == 18, 20, "all have started")
    assert [text for *_, text in raw.starts()] == [p for p in "543210" for _ in range(3)]


def test_a_late_high_priority_overtakes_whatever_has_not_started(raw: RawLane) -> None:
    raw.worker("--concurrency", "1")
    raw.ended(raw.submit("trace", count=200))  # short jobs: by now it reads ahead
    raw.submit("trace", text="low", count=4, seconds=0.5)
    until(lambda: any(text == "low" for *_, text in raw.starts()), 15, "the first low one is at work")
    raw.submit("trace", text="high", priority=5)

    until(lambda: len(raw.starts()) == 205, 10, "all have started")
    assert [text for *_, text in raw.starts()][-5:] == ["low", "high", "low", "low", "low"]


def test_a_priority_survives_the_delay_queues(raw: RawLane) -> None:
    raw.submit("trace", countdown=0.3, priority=1, text="1", count=5)
    raw.submit("trace", countdown=0.3, priority=4, text="4", count=5)
    until(lambda: raw.depth("raw.default") == 10, 15, "all have come out of the delay queues")
    raw.worker("--concurrency", "1")

    until(lambda: len(raw.starts()) == 10, 10, "all have started")
    assert [text for *_, text in raw.starts()] == ["4"] * 5 + ["1"] * 5


def test_no_message_waits_behind_a_long_job_while_a_child_is_idle(raw: RawLane) -> None:
    raw.worker()
    raw.ended(raw.submit("trace", count=300))  # short jobs: by now both children read ahead
    long = raw.submit("trace", seconds=15.0, text="long")
    until(lambda: any(text == "long" for *_, text in raw.starts()), 15, "the long one is at work")
    short = raw.submit("trace", count=30) + raw.submit("trace_elsewhere", count=30)

    assert raw.ended(short, 12) == ["DONE"] * 60
    assert raw.states(long) != ["DONE"]


def test_no_short_job_stays_unacknowledged_while_the_next_one_is_long(raw: RawLane) -> None:
    raw.worker("--concurrency", "1")
    raw.ended(raw.submit("trace", count=200))  # short jobs: by now it reads ahead, and acknowledges several at once
    short = raw.accept("trace", count=5)
    long = raw.accept("trace", seconds=30.0)
    raw.publish(short + long)
    raw.ended(short)

    until(lambda: raw.unacknowledged("raw.default") == 1, 5, "the broker keeps the long one alone")
    assert raw.states(long) == ["IN_PROGRESS"]


def test_queues_are_served_in_turns(raw: RawLane) -> None:
    raw.submit("trace", count=6, seconds=0.2, text="default")
    raw.submit("trace_elsewhere", count=6, seconds=0.2, text="monitoring")
    raw.worker("--concurrency", "1")

    until(lambda: len(raw.starts()) == 12, 15, "all have started")
    order = [text for *_, text in raw.starts()]
    assert order[:8].count("default") in (3, 4, 5)


def test_a_worker_may_be_given_some_of_the_queues(raw: RawLane) -> None:
    raw.worker("--queues", "monitoring")
    mine, other = raw.submit("trace_elsewhere"), raw.submit("trace")

    assert raw.ended(mine) == ["DONE"]
    assert raw.states(other) == ["PENDING"]


# ---------------------------------------------------------------- messages that are no runs

GOOD = {"content_type": "application/json", "message_id": runs.new_id(), "type": "trace"}
STRANGE = {
    "a pickle": (GOOD | {"content_type": "application/x-python-serialize"}, pickle.dumps({"x": 1}), "content type"),
    "no content type": (GOOD | {"content_type": None}, b"{}", "content type"),
    "another encoding": (GOOD | {"content_encoding": "gzip"}, b"{}", "another encoding"),
    "garbage": (GOOD, b"\x80\xff\x00", "damaged"),
    "half an object": (GOOD, b'{"x": ', "damaged"),
    "a list": (GOOD, b"[1]", "not one object"),
    "an unknown job": (GOOD | {"type": "no_such_job"}, b"{}", "no job is called"),
    "no job": (GOOD | {"type": None}, b"{}", "no job is called"),
    "no id": (GOOD | {"message_id": None}, b"{}", "damaged"),
    "an id that is none": (GOOD | {"message_id": "1; drop table runs"}, b"{}", "damaged"),
    "nested deeply": (GOOD, b'{"x": ' + b"[" * 200 + b"]" * 200 + b"}", "nested"),
    "nested very deeply": (GOOD, b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "too big": (GOOD, json.dumps({"x": "x" * 2_000_000}).encode(), "bytes"),
}


def test_messages_that_are_no_runs_are_put_aside_with_the_reason(raw: RawLane) -> None:
    worker = raw.worker("--concurrency", "1")
    children = raw.children(worker)
    with raw.channel() as channel:
        for case, (properties, body, _reason) in STRANGE.items():
            channel.basic_publish(topology.JOBS, "default", body, pika.BasicProperties(**properties, app_id=case))

    until(lambda: raw.depth("raw.dead") == len(STRANGE), 20, f"all are put aside: {raw.tail()}")
    for letter in raw.dead():
        _properties, body, reason = STRANGE[letter.properties.app_id]
        assert reason in letter.reason
        assert (letter.body, letter.queue) == (body, "default")
    assert raw.ended(raw.submit("trace")) == ["DONE"]
    assert raw.children(worker) == children, "a child died of it"


def test_arguments_that_do_not_fit_fail_the_run(raw: RawLane) -> None:
    run_id = runs.new_id()  # sent by hand: for an accepted run, the row's arguments count
    with raw.channel() as channel:
        properties = pika.BasicProperties(content_type="application/json", message_id=run_id, type="trace")
        channel.basic_publish(topology.JOBS, "default", b'{"nonsense": 1}', properties)
    raw.worker()

    until(lambda: raw.run(run_id) is not None, 20, f"there is a run: {raw.tail()}")
    assert raw.ended([run_id]) == ["FAILED"]
    assert "nonsense" in raw.run(run_id).error


def test_a_message_sent_by_hand_becomes_a_run(raw: RawLane) -> None:
    run_id = runs.new_id()
    with raw.channel() as channel:
        body = json.dumps({"path": str(raw.trace)}).encode()
        properties = pika.BasicProperties(content_type="application/json", message_id=run_id, type="trace")
        channel.basic_publish(topology.JOBS, "default", body, properties)
    raw.worker()

    until(lambda: raw.run(run_id) is not None, 10, "there is a run")
    assert raw.ended([run_id]) == ["DONE"]


def test_a_header_that_pika_cannot_read_does_not_cut_the_connection(
    raw: RawLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = raw.worker("--concurrency", "1")
    run_id = runs.new_id()
    with monkeypatch.context() as patch, raw.channel() as channel:
        patch.setattr("pika.data.calendar.timegm", lambda _time: 1_795_000_000_000)  # milliseconds: a common mistake
        body = json.dumps({"path": str(raw.trace)}).encode()
        headers = {"sent": datetime.now(UTC)}
        properties = pika.BasicProperties(**(GOOD | {"message_id": run_id}), headers=headers)
        channel.basic_publish(topology.JOBS, "default", body, properties)

    until(lambda: raw.depth("raw.dead") == 1, 10, f"it is put aside: {raw.tail()}")
    (letter,) = raw.dead()
    assert "headers cannot be read" in letter.reason
    assert raw.ended(raw.submit("trace")) == ["DONE"]
    assert "no connection" not in raw.tail()
    assert worker.poll() is None


# ---------------------------------------------------------------- copies


@pytest.mark.thorough
def test_a_hundred_copies_of_a_message_have_one_effect(raw: RawLane) -> None:
    (run_id,) = raw.accept("trace")
    raw.publish([run_id], times=100)
    raw.worker("--concurrency", "3")

    assert raw.ended([run_id]) == ["DONE"]
    until(lambda: raw.depth("raw.default") == 0, 10, "all copies are used up")
    assert raw.effects([run_id]) == 1
    assert raw.depth("raw.dead") == 0


# ---------------------------------------------------------------- what is being done


@pytest.mark.thorough
def test_inspect_says_what_each_child_is_doing(raw: RawLane) -> None:
    raw.worker()
    (run_id,) = raw.submit("trace", seconds=20.0)

    def at_work() -> str:
        said = raw.cli("inspect", "--json")
        return said if run_id in said else ""

    (worker,) = json.loads(until(at_work, 15, "the run is seen"))
    assert sorted(child["job"] or "" for child in worker["children"]) == ["", "trace"]


def test_every_line_about_a_run_names_it(raw: RawLane) -> None:
    raw.worker()
    (run_id,) = raw.submit("trace")
    raw.ended([run_id])

    line = until(lambda: [line for line in raw.tail().splitlines() if "trace: Done" in line], 15, "it is logged")[0]
    assert f"run={run_id} " in line
    assert "worker=w/" in line
    assert time.strftime("time=%Y-%m-%dT", time.gmtime()) in line
