"""Messages that are odd in what nobody needs, and messages to a worker's mailbox: no lane stops over them."""

import json
import subprocess
import sys

import pika
import pytest

from tests.contract.dead_letters import EXCHANGES, channel
from tests.contract.odd_messages import Handmade, field, read_anyway
from tests.kit import ROOT, Kit, until

LETTERS = {"celery": "celery.dead", "raw": "raw.dead"}


@pytest.fixture(autouse=True)
def over_rabbitmq(kit: Kit, lane: str) -> None:
    """Properties are RabbitMQ's; what can lie in Redis is another file's."""
    if lane == "celery" and kit.environment.get("CELERY_BROKER_URL"):
        pytest.skip("the Celery lane travels through Redis here")


def processes(kit: Kit, worker: str) -> list[int]:
    return [kit.pid(worker), *kit.children(worker)]


def test_what_is_odd_in_a_message_and_needed_by_nobody_harms_nobody(kit: Kit, lane: str, worker: str) -> None:
    before = processes(kit, worker)
    with channel(kit) as out:
        for properties, body in read_anyway(lane).values():
            out.basic_publish(EXCHANGES[lane], "default", body, properties)

    assert kit.all_ended(kit.submit(lane, "debug_task", count=10), 30)["done"] == 10
    assert processes(kit, worker) == before, "a process ended over it"


def test_a_run_whose_worker_does_not_know_its_job_ends_failed(kit: Kit, lane: str, worker: str) -> None:
    before = processes(kit, worker)
    accepted = subprocess.run(
        [sys.executable, "-c", "from cars_bot import database, runs\nfrom cars_bot.catalogue import job_named\n"
         f"with database.writing() as c: print(runs.accept(c, job_named('keep'), {lane!r}, {{'data': []}}))"],
        cwd=ROOT, env=kit.environment | {"EXTRA_JOBS": "tests.contract.jobs,tests.contract.unknown_jobs"},
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip

    run = kit.ended(accepted)
    assert run["state"] == "FAILED"
    assert "'keep'" in run["error"]
    assert processes(kit, worker) == before


def test_what_is_sent_to_the_workers_mailbox_harms_nobody(kit: Kit, worker: str, lane: str) -> None:
    if lane == "raw":
        pytest.skip("it has no mailbox")
    before = processes(kit, worker)
    date = field(b"x", b"T", (1_772_000_000_000).to_bytes(8))
    good = {"content_type": b"application/json", "content_encoding": b"utf-8"}
    with channel(kit) as out:
        for key in ("", b"\xff\xfe"):
            for body in (b"\x80\xff", b"5", b"{}", b"[]", b"null", json.dumps({"method": ["x"]}).encode(),
                         json.dumps({"method": "shutdown!", "arguments": 5}).encode()):  # fmt: skip
                out.basic_publish("celery.pidbox", key, body, pika.BasicProperties(content_type="application/json"))
                out.basic_publish("celery.pidbox", key, body, pika.BasicProperties(content_type="text/odd"))
                out.basic_publish("celery.pidbox", key, body, Handmade(**good, headers=date))

    assert kit.all_ended(kit.submit(lane, "debug_task", count=10), 30)["done"] == 10
    assert processes(kit, worker) == before
    until(lambda: "pong" in kit.command("exec", "celery", "-A", "celery_app", "inspect", "ping", check=False).stdout,
          30, "the mailbox is still read")  # fmt: skip
