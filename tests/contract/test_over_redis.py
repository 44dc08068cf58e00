"""The Celery lane over Redis: the differences between Redis and RabbitMQ, and the kit's answers to them.

The other contract tests cover the common part of both brokers, with `--celery-broker redis`.
"""

import json
import os
import signal
from collections.abc import Iterator

import pytest
import redis

from tests.kit import Kit, running, until

pytestmark = pytest.mark.thorough

TRIES = 4


@pytest.fixture(scope="module")
def over_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit whose Celery lane uses the kit's own Redis as its broker."""
    with running(tmp_path_factory.mktemp("redis"), "redis", "api", "celery_worker", CELERY_BROKER_URL="redis://") as up:
        yield up


def test_the_kits_own_redis_carries_the_messages(over_redis: Kit) -> None:
    waiting = over_redis.submit("celery", "process_task", args={"task_num": 1, "timeout": 2})
    with redis.Redis.from_url(over_redis.status()["urls"]["redis"]) as client:
        until(lambda: client.hlen("unacked") == 1, 10, "the message is with a worker")
    run = over_redis.ended(waiting[0])
    assert (run["state"], run["attempt"]) == ("DONE", 1)


def test_queues_are_as_deep_as_all_their_priorities(over_redis: Kit) -> None:
    blockers = over_redis.submit("celery", "process_task", count=2, args={"task_num": 1, "timeout": 3})
    until(lambda: over_redis.summary(blockers)["in_progress"] == 2, 15, "both children are busy")
    ids = [run_id for priority in range(6) for run_id in over_redis.submit("celery", "debug_task", priority=priority)]
    until(lambda: over_redis.http.get("/api/queues").json()["celery"]["default"] == 6, 3, "six wait")
    assert over_redis.all_ended([*blockers, *ids], 30)["done"] == 8


def test_what_redis_loses_on_its_way_to_a_worker_is_published_again(over_redis: Kit) -> None:
    """A worker asks Redis for the next message and waits.

    If it dies at that moment, Redis gives the message to nobody.
    """
    for _ in range(TRIES):
        os.kill(over_redis.pid("celery_worker-1"), signal.SIGSTOP)
        run_id = over_redis.submit("celery", "process_task", args={"task_num": 1, "timeout": 0})[0]
        until(lambda: over_redis.run(run_id)["published_at"], 10, "Redis has it")  # noqa: B023
        over_redis.kill_group("celery_worker-1")

        counts = over_redis.all_ended([run_id], 45)
        assert (counts["done"], counts["effects"], counts["duplicated"]) == (1, 1, 0)
        happened = over_redis.http.get(f"/api/runs/{run_id}/events").json()["events"]
        if "lost" in [event["event"] for event in happened]:
            return
    raise AssertionError(f"in {TRIES} tries nothing was lost: this test shows nothing")


def test_what_is_no_message_in_a_queues_list_harms_nobody(over_redis: Kit) -> None:
    before = over_redis.family("celery_worker-1")
    good = {"body": "W10=", "headers": {}, "content-type": "application/json", "content-encoding": "utf-8",
            "properties": {"delivery_tag": "x", "delivery_info": {"exchange": "", "routing_key": "default"},
                           "body_encoding": "base64"}}  # fmt: skip
    odd: list[bytes] = [
        b"", b"\x80\xff", b"not JSON", b"5", b"null", b"[]", b"{}", b"[" * 100_000, b'{"properties": 5}',
        *(json.dumps(good | change).encode() for change in (
            {"body": 5}, {"body": "***"}, {"headers": 5}, {"headers": None}, {"content-type": 5},
            {"properties": {}}, {"properties": good["properties"] | {"delivery_tag": 5}},
            {"properties": good["properties"] | {"body_encoding": "klingon"}},
            {"properties": good["properties"] | {"delivery_info": {}}},
            {"headers": {"compression": "application/x-gzip"}},
            {"headers": {"id": "x", "task": "debug_task", "timelimit": [-1, -1]}},
        )),
    ]  # fmt: skip
    with redis.Redis.from_url(over_redis.status()["urls"]["redis"]) as client:
        for item in odd * 2:
            client.lpush("default", item)
        ids = over_redis.submit("celery", "debug_task", count=10)
        assert over_redis.all_ended(ids, 60)["done"] == 10
        until(lambda: client.llen("default") == 0, 30, "all of it is used up")
    assert over_redis.family("celery_worker-1") == before
