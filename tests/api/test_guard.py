"""Checks in front of every route: size, kind, speed and origin of a request, and the headers of every answer."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from api import request_body
from tests.api.server import Server, serving

JSON = {"Content-Type": "application/json"}


def test_a_body_over_the_cap_is_refused(server: Server) -> None:
    reply = server.http.post("/api/runs", content=b"x" * (request_body.BODY_CAP + 1), headers=JSON)

    assert (reply.status_code, reply.json()["error"]) == (413, "body_too_large")


def test_a_body_without_a_length_is_held_to_the_same_cap(server: Server) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    reply = server.http.post("/api/runs", content=chunks(), headers=JSON)

    assert reply.status_code == 413


def test_an_export_may_be_bigger(server: Server) -> None:
    messages = [{"id": number, "type": "message", "text": "x" * 50_000} for number in range(1, 41)]

    assert len(messages) * 50_000 >= 2 * request_body.BODY_CAP
    assert server.http.post("/api/posts", json={"name": "big", "messages": messages}).status_code == 201


def test_a_body_announced_and_never_sent_holds_no_thread(server: Server) -> None:
    head = "POST /api/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    hanging = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    for each in hanging:
        each.sendall(head.encode())

    assert server.http.get("/api/summary", timeout=3).status_code == 200
    for each in hanging:
        each.close()


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "BODY_SECONDS", 0.05)

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(TimeoutError):
        asyncio.run(request_body.read_body(drip, Headers({}), cap=1_000))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(server: Server, kind: str) -> None:
    reply = server.http.post(
        "/api/runs", content=b'{"job": "debug_task", "lane": "raw"}', headers={"Content-Type": kind}
    )

    assert (reply.status_code, reply.json()["error"]) == (415, "not_json")
    assert "application/json" in reply.json()["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
def test_another_sites_page_may_not_send(server: Server, headers: dict[str, str]) -> None:
    before = server.counts()
    reply = server.http.post("/api/runs", json={"job": "debug_task", "lane": "raw"}, headers=headers)

    assert (reply.status_code, reply.json()["error"]) == (403, "cross_origin")
    assert server.counts() == before


def test_the_kits_own_page_and_curl_may_send(server: Server) -> None:
    body = {"job": "debug_task", "lane": "raw"}

    for headers in ({}, {"Origin": server.url}, {"Sec-Fetch-Site": "same-origin", "Origin": server.url}):
        assert server.http.post("/api/runs", json=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::1", "a.b@127.0.0.1.c"]
)
def test_a_foreign_name_that_points_here_is_refused(server: Server, host: str) -> None:
    for method, path in (("GET", "/api/runs"), ("POST", "/api/runs"), ("GET", "/")):
        reply = server.http.request(method, path, headers={"Host": host, "Origin": f"http://{host}"})
        assert (reply.status_code, reply.json()["error"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8080", "api:8080", "192.168.1.5", "kit.localhost"])
def test_an_address_or_a_name_of_this_network_is_ours(server: Server, host: str) -> None:
    assert server.http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.thorough
def test_a_name_can_be_allowed(tmp_path: Path, redis_url: str) -> None:
    with serving(tmp_path, redis_url, ALLOWED_HOSTS="kit.example, other.example") as server:
        assert server.http.get("/healthz", headers={"Host": "Kit.example:443"}).status_code == 200
        assert server.http.get("/healthz", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/dead-letters", "/api/jobs", "/static/kit.css", "/api/runs/none", "/nowhere", "/favicon.ico"],
)
def test_every_answer_forbids_foreign_and_inline_code(server: Server, path: str) -> None:
    reply = server.http.get(path)
    policy = reply.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert reply.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [("GET", "/api/nothing", 404, "not_found"), ("DELETE", "/api/runs", 405, "method_not_allowed")],
)
def test_wrong_addresses_answer_in_the_same_shape(
    server: Server, method: str, path: str, status: int, error: str
) -> None:
    reply = server.http.request(method, path)

    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert "/docs" in reply.json()["message"]
