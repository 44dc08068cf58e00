"""Odd answers of models, sheets and messengers, on every lane.

The run ends at the first attempt, once, with a reason.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import redis

from tests.kit import NO_TLS, Kit

TEXT = {"text": "Kia Rio 2017, 98 000 km, 890 000 RUB"}


@pytest.fixture
def world(kit: Kit) -> Iterator[httpx.Client]:
    """The outside world's switchboard, cleared afterwards."""
    with httpx.Client(base_url=kit.outside_world, timeout=30, trust_env=False, verify=NO_TLS) as client:
        yield client
        client.delete("/_control/faults").raise_for_status()


def answer(world: httpx.Client, service: str, body: Any, **more: Any) -> None:
    """Let the next call to `service` get this JSON as its answer."""
    order = {"service": service, "fault": "answer", "headers": {"Content-Type": "application/json"}, "body": body}
    world.post("/_control/faults", json=order | more).raise_for_status()


def completion(content: Any, finish_reason: str = "stop") -> str:
    """A language model's answer."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


@contextmanager
def channels_sheet(world: httpx.Client, cells: list[list[str]]) -> Iterator[None]:
    """Fill the worksheet "Channels" with these cells, and clear it afterwards."""
    token = world.post("/google/token", data={"grant_type": "refresh_token", "refresh_token": "any"}).json()
    world.headers["Authorization"] = f"Bearer {token['access_token']}"
    book = "/google/v4/spreadsheets/cars-bot"
    world.post(f"{book}:batchUpdate", json={"requests": [{"addSheet": {"properties": {"title": "Channels"}}}]})
    written = world.put(f"{book}/values/Channels!A1", params={"valueInputOption": "RAW"}, json={"values": cells})
    written.raise_for_status()
    try:
        yield
    finally:
        world.post(f"{book}/values/Channels:clear").raise_for_status()


def ended(kit: Kit, lane: str, job: str, **args: Any) -> dict[str, Any]:
    """Submit a run, wait for its end, and return it."""
    (run_id,) = kit.submit(lane, job, args=args)
    return kit.ended(run_id)


def test_half_a_character_in_a_models_answer_is_replaced(kit: Kit, world: httpx.Client, any_lane: str) -> None:
    answer(world, "openai", completion(json.dumps({"is_sale": True, "reason": "half \ud83d\x00"})))
    run = ended(kit, any_lane, "classify_post", **TEXT)
    assert (run["state"], run["attempt"]) == ("DONE", 1)
    assert run["result"]["reason"] == "half \ufffd\ufffd"


def test_an_answer_that_was_cut_off_fails_at_once_and_names_the_reason(
    kit: Kit, world: httpx.Client, any_lane: str
) -> None:
    answer(world, "openai", completion('{"is_sale": tr', "length"))
    run = ended(kit, any_lane, "classify_post", **TEXT)
    assert (run["state"], run["attempt"]) == ("FAILED", 1)
    assert "length" in run["error"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([["username", "active"], ["@" + "x" * 300, "yes"]], "row 2, column 'username' has 301 characters"),
        ([["username", "title"], ["@a", "A"]], "has no column 'active'"),
    ],
)
def test_a_sheet_that_cannot_be_taken_over_fails_at_once_and_names_the_place(
    kit: Kit, world: httpx.Client, any_lane: str, cells: list[list[str]], complaint: str
) -> None:
    with redis.Redis.from_url(kit.status()["urls"]["redis"]) as client:
        client.delete("cars_bot:rate:sheets_sync")  # earlier tests may have used up the calls of this minute
    with channels_sheet(world, cells):
        run = ended(kit, any_lane, "sync_channels")
    assert (run["state"], run["attempt"]) == ("FAILED", 1), run["error"]
    assert complaint in run["error"]


def test_a_message_is_not_sent_again_after_a_proxys_504(kit: Kit, world: httpx.Client, any_lane: str) -> None:
    answer(world, "telegram", {"ok": False, "error_code": 504, "description": "timeout"}, act=True, status=504,
           only="sendMessage")  # fmt: skip
    run = ended(kit, any_lane, "announce", chat=f"@proxy_{any_lane}", text="hello")
    assert run["state"] == "FAILED"
    assert "OutcomeUnknown" in run["error"]
    assert len(kit.channel(f"@proxy_{any_lane}")) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("status", [302, 408, 502])
def test_a_status_that_does_not_say_not_done_is_no_reason_to_send_again(
    kit: Kit, world: httpx.Client, lane: str, status: int
) -> None:
    chat = f"@status_{status}_{lane}"
    answer(world, "telegram", {"ok": False, "error_code": status, "description": "?"}, act=True, status=status,
           only="sendMessage")  # fmt: skip
    run = ended(kit, lane, "announce", chat=chat, text="hello")
    assert (run["state"], len(kit.channel(chat))) == ("FAILED", 1)
    assert "OutcomeUnknown" in run["error"]


@pytest.mark.thorough
def test_doctor_says_with_whom_to_share_the_spreadsheet(kit: Kit, world: httpx.Client) -> None:
    assert "Share the spreadsheet" not in kit.command("doctor", check=False).stdout
    refusal = {"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}}
    answer(world, "google", refusal, status=403, share=1)  # runs of earlier tests may still make calls, too
    told = kit.command("doctor", check=False)
    assert "Share the spreadsheet 'cars-bot'" in told.stdout + told.stderr
