"""Messages that are odd only in parts that nobody needs, and messages to a worker's mailbox. Neither stops a lane."""

import json
import subprocess
import sys

import pika
import pytest

from cars_bot.boundary.arguments import MAX_DEPTH
from tests.contract.dead_letters import EXCHANGES, channel
from tests.contract.odd_messages import Handmade, field, publish_each, read_anyway
from tests.kit import ROOT, Kit, until


@pytest.fixture(autouse=True)
def over_rabbitmq(kit: Kit, request: pytest.FixtureRequest) -> None:
    """Skip the test over Redis. Only RabbitMQ has properties; another file tests odd messages in Redis."""
    lane = request.getfixturevalue("lane") if "lane" in request.fixturenames else ""
    if lane == "celery" and kit.environment.get("CELERY_BROKER_URL"):
        pytest.skip("the Celery lane travels through Redis here")


def test_what_is_odd_in_a_message_and_needed_by_nobody_harms_nobody(kit: Kit, lane: str, worker: str) -> None:
    before = kit.family(worker)
    taken = publish_each(lambda: channel(kit), EXCHANGES[lane], read_anyway(lane))

    assert kit.all_ended(kit.submit(lane, "debug_task", count=10), 30)["done"] == 10
    assert len(taken) >= 8, "the broker takes them"
    assert kit.family(worker) == before, "a process ended over it"


def test_a_run_whose_worker_does_not_know_its_job_ends_failed(kit: Kit, lane: str, worker: str) -> None:
    before = kit.family(worker)
    accepted = subprocess.run(
        [sys.executable, "-c", "from cars_bot import database, runs\nfrom cars_bot.catalogue import job_named\n"
         f"with database.writing() as c: print(runs.accept(c, job_named('keep'), {lane!r}, {{'data': []}}))"],
        cwd=ROOT, env=kit.environment | {"EXTRA_JOBS": "tests.contract.jobs,tests.contract.unknown_jobs"},
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip

    run = kit.ended(accepted)
    assert run["state"] == "FAILED"
    assert "'keep'" in run["error"]
    assert kit.family(worker) == before


def test_who_accepts_and_who_consumes_obey_one_depth(kit: Kit, any_lane: str) -> None:
    fits, too_deep = ({"data": json.loads("[" * levels + "]" * levels)} for levels in (MAX_DEPTH - 1, MAX_DEPTH))

    assert kit.ended(kit.submit(any_lane, "keep_list", args=fits)[0])["state"] == "DONE"
    refused = kit.command("submit", "keep_list", "--lane", any_lane, "--args", json.dumps(too_deep), check=False)
    assert refused.returncode != 0
    assert f"at most {MAX_DEPTH} levels" in refused.stdout + refused.stderr


def test_what_is_sent_to_the_workers_mailbox_harms_nobody(kit: Kit, worker: str, lane: str) -> None:
    if lane == "raw":
        pytest.skip("it has no mailbox")
    before = kit.family(worker)
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
    assert kit.family(worker) == before
    until(lambda: "pong" in kit.command("exec", "celery", "-A", "celery_app", "inspect", "ping", check=False).stdout,
          30, "the mailbox is still read")  # fmt: skip


def test_what_a_job_says_begins_no_line_of_the_log(kit: Kit, lane: str, worker: str) -> None:
    forged = f"time=2026-01-01T00:00:00 forged-on-{lane}"
    kit.ended(kit.submit(lane, "speak", args={"words": f"one\n{forged}\r{forged}\u2028{forged}\x1b[2J"})[0])
    log = kit.run_dir / "logs" / f"{worker}.log"

    said = until(lambda: [line for line in log.read_text().splitlines() if forged in line], 10, "it is in the log")
    assert [line for line in said if line.startswith("time=2026-01-01")] == []
    shown = kit.command("logs", worker, "-n", "2000").stdout
    assert forged in shown
    assert "\x1b[2J" not in shown
