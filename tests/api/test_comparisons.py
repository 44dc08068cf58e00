"""Comparisons over HTTP without a browser: commands, two beside each other, addresses that fill the form."""

import html
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cars_bot.comparisons.presets import PRESETS
from cars_bot.comparisons.request import ComparisonRequest
from tests.api.server import Server
from tests.kit import until
from tests.unit.commands.test_compare_command import asked

SHORT = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.01}}
NOBODY = "00000000-0000-0000-0000-000000000000"


def start(server: Server, **wanted: Any) -> str:
    """Start a comparison on the inline lane, which needs no broker, and return its id."""
    made = server.http.post("/api/comparisons", json={"lanes": ["inline"], "count": 2, "jobs": [SHORT], **wanted})
    assert made.status_code == 202, made.text
    return str(made.json()["id"])


def ended(server: Server, **wanted: Any) -> str:
    comparison = start(server, **wanted)
    until(lambda: server.http.get(f"/api/comparisons/{comparison}").json()["state"] == "ENDED", 30, "it has ended")
    return comparison


@contextmanager
def running(server: Server, **wanted: Any) -> Iterator[str]:
    """A comparison that does not end by itself, because no worker takes its jobs. It has ended afterwards."""
    comparison = start(server, **{"lanes": ["raw"], **wanted})
    try:
        yield comparison
    finally:
        stop(server, comparison)


def stop(server: Server, comparison: str) -> None:
    """Stop a comparison and wait for its end. Only then the next one begins."""
    server.http.post(f"/api/comparisons/{comparison}/stop").raise_for_status()
    until(lambda: server.http.get(f"/api/comparisons/{comparison}").json()["state"] == "ENDED", 30, "it has ended")


def page(server: Server, path: str, status: int = 200) -> str:
    reply: httpx.Response = server.http.get(path, headers={"Accept": "text/html"})
    assert reply.status_code == status, reply.text
    return reply.text


def filled(text: str) -> dict[str, Any]:
    """The request with which the form opens."""
    found = re.search(r'data-fill="([^"]*)"', text)
    assert found is not None
    assert '<details class="card own" id="own" open>' in text
    request: dict[str, Any] = json.loads(html.unescape(found[1]))
    return request


def refusal(text: str) -> str:
    found = re.search(r'<p class="alarm" role="alert">(.*?)</p>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def command(server: Server, wanted: dict[str, Any]) -> dict[str, Any]:
    reply = server.http.post("/api/comparisons/command", json=wanted)
    assert reply.status_code == 200, reply.text
    shown: dict[str, Any] = reply.json()
    return shown


def test_the_api_shows_the_command_and_starts_nothing(server: Server) -> None:
    before = server.http.get("/api/comparisons").json()

    assert command(server, {"count": 5, "lanes": ["raw"]}) == {
        "command": "./kit compare --lanes raw --count 5", "message": None,
    }  # fmt: skip
    assert server.http.get("/api/comparisons").json() == before


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"count": 0}, "count: Input should be greater"), ({"colour": "red"}, "colour: Extra inputs"),
        ({"jobs": [{"job": "moon"}]}, "no job is called 'moon'"), ({"priorities": [99]}, "priority 99 is out of range"),
        ({"jobs": [{"job": "process_task", "args": {"task_num": "x"}}]}, "task_num: Input should be a valid integer"),
        ({"arrivals": {"burst": 2}}, "arrivals: a burst needs both burst and every"),
        ({"jobs": [{"job": "classify_post", "args": {"text": "x" * 200_000}}]}, "too long for a command line"),
    ],
)  # fmt: skip
def test_a_request_without_a_command_gets_the_reason(server: Server, wanted: dict[str, Any], said: str) -> None:
    shown = command(server, wanted)

    assert shown["command"] is None
    assert said in shown["message"]


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_fills_the_form_with_its_own_request(server: Server, name: str) -> None:
    found = filled(page(server, f"/comparisons?preset={name}"))

    assert ComparisonRequest.model_validate(found) == ComparisonRequest.model_validate(PRESETS[name].request)


def test_a_job_in_the_address_fills_the_form_and_starts_nothing(server: Server) -> None:
    before = server.http.get("/api/comparisons").json()
    args = {"text": '<b>"Kia" & Rio</b>'}
    found = filled(page(server, f"/comparisons?job=classify_post&args={quote(json.dumps(args))}"))

    assert found["jobs"] == [{"job": "classify_post", "args": args}]
    assert server.http.get("/api/comparisons").json() == before


@pytest.mark.thorough
def test_a_run_and_an_earlier_comparison_fill_the_form(server: Server) -> None:
    (run,) = server.submit("raw", "process_task", args={"task_num": 4, "timeout": 2.5})
    (job,) = filled(page(server, f"/comparisons?run={run}"))["jobs"]
    assert (job["job"], job["args"]["task_num"], job["args"]["timeout"]) == ("process_task", 4, 2.5)

    comparison = ended(server, name="Again", priorities=[1, 2])
    found = filled(page(server, f"/comparisons?like={comparison}"))
    assert found == server.http.get(f"/api/comparisons/{comparison}").json()["request"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("preset=moon", "no preset is called 'moon'; there are: twenty-posts"),
        ("like=moon", "there is no comparison 'moon'"), ("like=%00", "there is no comparison"),
        ("job=moon", "no job is called 'moon'"),
        ("job=process_task&args={", "the arguments are not JSON"),
        ("job=process_task&args=[1]", "the arguments are not a JSON object: [1]"),
        ("job=process_task&args=" + "[" * 20_000, "the arguments are not JSON"),
        ('job=process_task&args={"task_num":"<b>"}', 'task_num: Input should be a valid integer'),
        ('job=process_task&args={"colour":"<b>"}', 'The address has {"colour": "<b>"}'),
    ],
)  # fmt: skip
def test_a_wrong_value_in_the_address_is_told_beside_the_form(server: Server, query: str, said: str) -> None:
    text = page(server, f"/comparisons?{query}")

    assert said in refusal(text)
    assert "<b>&#34;" not in text
    assert '"<b>"' not in text


def test_an_address_with_an_unknown_run_is_an_error_page(server: Server) -> None:
    assert "there is no run" in page(server, "/comparisons?run=moon", 404)


@pytest.mark.thorough
def test_two_comparisons_stand_beside_each_other(server: Server) -> None:
    a, b = ended(server, name="first"), ended(server, name="second", count=4)
    found = server.http.get(f"/api/comparisons/{a}/beside/{b}").raise_for_status().json()
    results = [server.http.get(f"/api/comparisons/{each}").json()["result"] for each in (a, b)]

    assert found["sides"] == [
        {name: result[name] for name in ("id", "name", "verdict", "started_at")} for result in results
    ]
    assert found["differences"] == [{"name": "jobs on each lane", "sides": ["2", "4"]}]
    rows = {(row["name"], row["share"]): row["lanes"]["inline"] for row in found["figures"]}
    assert rows["done", ""] == [2, 4, 2]
    first, second = (result["lanes"]["inline"]["working"]["max"] for result in results)
    assert rows["working", "max"] == [first, second, pytest.approx(second - first)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("other", "said"),
    [("moon", "there is no comparison &#39;moon&#39;"), (NOBODY, "there is no comparison"), ("%00", "no comparison")],
)
def test_an_unknown_comparison_cannot_be_laid_beside(server: Server, other: str, said: str) -> None:
    text = page(server, f"/comparisons/{ended(server)}?beside={other}", 422)

    assert said in text
    assert "/comparisons lists them all" in text


@pytest.mark.thorough
def test_a_comparison_is_not_laid_beside_itself_or_one_that_has_not_ended(server: Server) -> None:
    a = ended(server)
    with running(server, name="Still open") as other:
        assert "beside itself" in page(server, f"/comparisons/{a}?beside={a}", 422)
        assert "has not ended yet" in page(server, f"/comparisons/{a}?beside={other}", 422)
        assert "has not ended yet" in page(server, f"/comparisons/{other}?beside={a}", 422)
        for unfit in (other, "moon", NOBODY):
            reply = server.http.get(f"/api/comparisons/{a}/beside/{unfit}")
            assert (reply.status_code, reply.json()["error"]) == (422, "invalid_arguments")


def test_the_page_of_an_ended_comparison_shows_its_command(server: Server) -> None:
    comparison = ended(server, name="It's mine", count=3)
    found = re.search(r"<code>(\./kit compare .*?)</code>", page(server, f"/comparisons/{comparison}"))

    assert found is not None
    shown = html.unescape(found[1])
    assert shown == command(server, server.http.get(f"/api/comparisons/{comparison}").json()["request"])["command"]
    assert asked(*shlex.split(shown)[2:])["name"] == "It's mine"


KILLS = {
    "lanes": ["raw"], "count": 1, "jobs": [SHORT], "conditions": [{"at": 0.1, "what": "kill-worker", "lane": "raw"}],
}  # fmt: skip


@pytest.mark.thorough
def test_a_browser_starts_faults_only_with_the_token_of_a_page(server: Server) -> None:
    token = re.search('<meta name="kit-token" content="([0-9a-f]{64})">', server.http.get("/comparisons").text)
    assert token
    browser = {b"Origin": server.url.encode(), b"Sec-Fetch-Site": b"same-origin"}

    for wrong in ({}, {b"X-Kit-Token": b""}, {b"X-Kit-Token": b"0" * 64}, {b"X-Kit-Token": b"\xff"}):
        refused = server.http.post("/api/comparisons", json=KILLS, headers=browser | wrong)
        assert (refused.status_code, refused.json()["error"]) == (403, "no_token")
    for right in (browser | {b"X-Kit-Token": token[1].encode()}, {}):  # a program that is no browser needs no token
        made = server.http.post("/api/comparisons", json=KILLS, headers=right)
        assert made.status_code == 202, made.text
        stop(server, made.json()["id"])
    for page in ("/", "/docs"):
        assert token[0] in server.http.get(page).text
