"""Pure decisions of the raw lane: how a message settles, its way, how far a child reads ahead, what is due."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pika
import pytest

from cars_bot.catalogue import JOBS, QUEUES, SCHEDULE
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, Outcome, PutAside, Retry, Wait
from cars_bot.runs import MAX_COUNTDOWN, new_id
from cars_bot.schedule import Tick, latest_due, matches, run_id
from raw_consumer import envelope, topology
from raw_consumer.consumer import FORWARD_SECONDS
from raw_consumer.intake import READ_AHEAD, Intake, read_ahead
from raw_consumer.settlement import Ack, DeadLetter, Decision, RetryAfter, decide

# ---------------------------------------------------------------- settlement


@pytest.mark.parametrize(
    ("outcome", "redelivered", "decision"),
    [
        (Done(None), False, Ack()),
        (Expired(), False, Ack()),
        (Retry(2.5, "busy"), False, RetryAfter(2.5)),
        (Failed("no"), False, DeadLetter("no")),
        (AlreadyEnded("DONE"), True, Ack()),
        (AlreadyEnded("REVOKED"), True, Ack()),
        (AlreadyEnded("FAILED"), False, Ack()),
        (AlreadyEnded("FAILED"), True, DeadLetter("its run has ended as FAILED")),
        (AtWork(), False, Ack()),
        (Wait(1.5, "not yet"), True, RetryAfter(1.5)),
        (PutAside("unreadable"), False, DeadLetter("unreadable")),
    ],
)
def test_every_outcome_settles_its_message(outcome: Outcome, redelivered: bool, decision: Decision) -> None:
    assert decide(outcome, redelivered) == decision


# ---------------------------------------------------------------- the way through the delay levels


class Broker:
    """A broker with just enough to send a message through the declarations and to add up its waits."""

    def __init__(self) -> None:
        self.queues: dict[str, dict[str, Any]] = {}
        self.bindings: list[tuple[str, str, str, bool]] = []
        for method, arguments in topology.declarations():
            if method == "queue_declare":
                self.queues[arguments["queue"]] = arguments["arguments"]
            elif method == "queue_bind":
                self.bindings.append((arguments["exchange"], arguments["routing_key"], arguments["queue"], True))
            elif method == "exchange_bind":
                self.bindings.append((arguments["source"], arguments["routing_key"], arguments["destination"], False))

    def arrive(self, exchange: str, key: str) -> tuple[str, float]:
        """The queue of the lane in which a message ends, and the seconds that it has waited until then."""
        ways = [(to, is_queue) for source, pattern, to, is_queue in self.bindings
                if source == exchange and self._fits(pattern.split("."), key.split("."))]  # fmt: skip
        assert len(ways) == 1, f"{exchange} has {len(ways)} ways for {key}"
        to, is_queue = ways[0]
        if not is_queue:
            return self.arrive(to, key)
        if to in map(topology.queue_name, QUEUES):
            return to, 0.0
        arguments = self.queues[to]
        queue, waited = self.arrive(arguments["x-dead-letter-exchange"], key)
        return queue, waited + arguments["x-message-ttl"] / 1000

    def _fits(self, pattern: list[str], words: list[str]) -> bool:
        if not pattern or not words:
            return pattern in ([], ["#"]) and not words
        if pattern[0] == "#":
            return self._fits(pattern[1:], words) or self._fits(pattern, words[1:])
        return pattern[0] in ("*", words[0]) and self._fits(pattern[1:], words[1:])


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3, 1.0, 12.7, 59.95, 3600.0, 86_400.0, MAX_COUNTDOWN])
@pytest.mark.parametrize("queue", QUEUES)
def test_a_delayed_message_arrives_when_it_is_due_and_never_before(queue: str, seconds: float) -> None:
    arrived, waited = Broker().arrive(*topology.route(queue, seconds))

    assert arrived == topology.queue_name(queue)
    assert -1e-9 <= waited - seconds < topology.UNIT


@pytest.mark.parametrize("delay", [0.0, -5.0])
def test_a_message_that_is_due_goes_straight_to_its_queue(delay: float) -> None:
    assert Broker().arrive(*topology.route("publishing", delay)) == ("raw.publishing", 0.0)


def test_a_delay_beyond_the_levels_waits_as_long_as_they_can() -> None:
    _queue, waited = Broker().arrive(*topology.route("default", 10 * MAX_COUNTDOWN))

    assert waited > MAX_COUNTDOWN


# ---------------------------------------------------------------- the envelope


def run(**changes: Any) -> Any:
    """A run as the database returns it."""
    values = {"id": new_id(), "job": "process_task", "queue": "default", "args": {"task_num": 1, "timeout": 0.5},
              "priority": 3, "accepted_at": 1_700_000_000.5, "due_at": 1_700_000_000.5, "steps": None}  # fmt: skip
    return SimpleNamespace(**values | changes)


def test_a_run_comes_out_of_its_message_as_it_went_in() -> None:
    accepted = run(args={"task_num": 1, "timeout": 0.5, "worker_id": "ё"})
    message = envelope.message(accepted, now=1_700_000_001.0)
    delivery = envelope.delivery(message.properties, message.body, redelivered=True)

    assert (message.exchange, message.routing_key) == (topology.JOBS, "default")
    assert (delivery.run_id, delivery.job, delivery.args) == (accepted.id, accepted.job, accepted.args)
    assert (delivery.lane, delivery.redelivered) == ("raw", True)
    assert (message.properties.delivery_mode, message.properties.priority) == (2, 3)


def test_a_message_names_the_steps_that_follow_and_so_does_its_retry() -> None:
    steps = [["extract_data", new_id(), 2], ["generate_description", new_id(), 2]]
    message = envelope.message(run(steps=steps), now=1_700_000_001.0)
    again = envelope.retry(message.properties, message.body, "default", 0.5)

    for properties in (message.properties, again.properties):
        delivery = envelope.delivery(properties, message.body, redelivered=False)
        assert [list(step) for step in delivery.steps] == steps


@pytest.mark.parametrize("steps", ["extract_data", [["extract_data"]], [["no_such_job", new_id(), 0]], [["x", 1, 2]]])
def test_steps_that_are_none_are_not_believed(steps: Any) -> None:
    message = envelope.message(run(steps=steps), now=1_700_000_001.0)

    with pytest.raises(envelope.UndecodableMessage):
        envelope.delivery(message.properties, message.body, redelivered=False)


def test_a_retry_counts_and_leaves_the_brokers_own_headers_behind() -> None:
    first = envelope.message(run(), now=1_700_000_001.0)
    first.properties.headers = {"x-death": [{"count": 1}], "x-first-death-queue": "raw.delay.03", "other": 1}
    second = envelope.retry(first.properties, first.body, "default", 0.5)
    third = envelope.retry(second.properties, second.body, "default", 0.5)

    assert second.properties.headers == {"retries": 1}
    assert third.properties.headers == {"retries": 2}
    assert (third.properties.message_id, third.properties.priority, third.body) == (
        first.properties.message_id, 3, first.body
    )  # fmt: skip


def test_a_dead_letter_says_why_and_for_which_queue() -> None:
    message = envelope.message(run(), now=1_700_000_001.0)
    letter = envelope.dead_letter(message.properties, message.body, "default", "x" * 10_000)

    assert (letter.exchange, letter.routing_key) == (topology.DEAD, "default")
    assert letter.properties.headers == {"retries": 0, "reason": "x" * 500}


@pytest.mark.parametrize("headers", [None, {}, {"retries": "many"}, {"retries": None}])
def test_a_strange_count_of_retries_starts_anew(headers: dict[str, Any] | None) -> None:
    again = envelope.retry(pika.BasicProperties(headers=headers), b"{}", "default", 0)

    assert again.properties.headers == {"retries": 1}


# ---------------------------------------------------------------- reading ahead


def test_a_child_reads_ahead_only_while_its_jobs_are_short() -> None:
    assert read_ahead(0.001, now=1) == READ_AHEAD
    assert read_ahead(1.0, now=READ_AHEAD) == 1


def test_reading_ahead_does_not_flutter_between_the_two() -> None:
    assert read_ahead(0.004, now=1) == 1
    assert read_ahead(0.004, now=READ_AHEAD) == READ_AHEAD


# ---------------------------------------------------------------- the schedule


@pytest.mark.parametrize(
    ("crontab", "at", "expected"),
    [
        ("* * * * *", "2026-03-01 12:34", True),
        ("*/15 * * * *", "2026-03-01 12:45", True),
        ("*/15 * * * *", "2026-03-01 12:46", False),
        ("0 3 * * *", "2026-03-01 03:00", True),
        ("0 3 * * *", "2026-03-01 15:00", False),
        ("5,35 8-17 * * *", "2026-03-01 17:35", True),
        ("5,35 8-17 * * *", "2026-03-01 18:35", False),
        ("0 0 */2 * *", "2026-03-03 00:00", True),  # days count from 1
        ("0 0 */2 * *", "2026-03-02 00:00", False),
        ("0 0 1 6 *", "2026-06-01 00:00", True),
        ("0 0 * * 0", "2026-03-01 00:00", True),  # a Sunday
        ("0 0 * * 1-5", "2026-03-01 00:00", False),
        ("0 0 13 * 5", "2026-03-13 00:00", True),  # with both days given, one match is enough
        ("0 0 13 * 5", "2026-03-06 00:00", True),
        ("0 0 13 * 5", "2026-03-07 00:00", False),
        ("10-40/10 * * * *", "2026-03-01 00:30", True),
        ("10-40/10 * * * *", "2026-03-01 00:35", False),
    ],
)
def test_a_crontab_line_names_its_minutes(crontab: str, at: str, expected: bool) -> None:
    assert matches(crontab, datetime.fromisoformat(at).replace(tzinfo=UTC)) is expected


def seconds(at: str) -> float:
    """Seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


FIVE = Tick("any", "*/5 * * * *")


def test_of_all_the_slots_that_were_missed_the_latest_counts() -> None:
    due = latest_due(FIVE, now=seconds("2026-03-01 12:34:56"), after=seconds("2026-03-01 09:00"))

    assert due == seconds("2026-03-01 12:30")


def test_a_slot_that_was_handled_is_not_due_again() -> None:
    assert latest_due(FIVE, seconds("2026-03-01 12:34:56"), after=seconds("2026-03-01 12:30")) is None


def test_a_schedule_in_seconds_has_a_slot_at_each_multiple() -> None:
    every = Tick("any", every=2.5)

    assert latest_due(every, now=1006.0) == 1005.0
    assert latest_due(every, now=1006.0, after=1005.0) is None


def test_every_line_of_the_schedule_names_a_minute_within_a_day() -> None:
    now = seconds("2026-03-01 12:34:56")
    for name, tick in SCHEDULE.items():
        assert latest_due(tick, now, after=now - 86_400) is not None, name


def test_a_slot_has_one_id_and_ids_sort_by_time() -> None:
    due_times = [seconds(f"2026-03-01 12:{minute:02}") for minute in range(60)]
    ids = [run_id("raw", "sync", due) for due in due_times]

    assert ids == sorted(ids) == [run_id("raw", "sync", due) for due in due_times]
    assert not {run_id("raw", "other", due_times[0]), run_id("celery", "sync", due_times[0])} & set(ids)
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
    assert ids[-1] < new_id()


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("job", JOBS)
def test_no_job_may_run_until_the_broker_gives_its_consumer_up(job: str) -> None:
    brokers_patience = 30 * 60  # seconds that a delivery may stay unacknowledged, RabbitMQ's default

    assert JOBS[job].policy.hard_time_limit + FORWARD_SECONDS < brokers_patience


def test_retries_wait_no_longer_than_the_delay_levels_reach() -> None:
    longest = max(job.policy.backoff_max for job in JOBS.values())

    assert max(longest, MAX_COUNTDOWN) < topology.UNIT * 2**topology.LEVELS


def test_what_follows_is_looked_at_without_waiting_and_only_if_it_can_still_be_had() -> None:
    intake = Intake("amqp://127.0.0.1:1/", [], "nobody")

    def received(generation: int, redelivered: bool = False, body: bytes = b"{}") -> envelope.Received:
        properties = envelope.message(run(), 0.0).properties
        method = pika.spec.Basic.Deliver("c", 1, redelivered, "", "default")
        return envelope.Received(generation, "default", method, properties, body, 0.0)

    try:
        assert intake.following() is None, "nothing is here"
        stale, mine = received(-1), received(0)
        intake._inbox.put(stale)
        intake._inbox.put(mine)
        assert intake.following() is intake.following() is mine.delivery()
        assert intake.take() is mine
        for odd in (received(0, redelivered=True), received(0, body=b"no JSON")):
            intake._inbox.put(odd)
            assert intake.following() is None
            assert intake.take() is odd, "it is taken in its turn"
        intake._inbox.put(None)
        assert intake.following() is None
        assert intake.take() is None, "there will be no more, although it was looked at"
    finally:
        intake.close()
