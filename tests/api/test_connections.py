"""Limits of a connection, with real sockets: half-sent requests, endless heads, clients that do not read."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from api import protocol
from tests.api.server import Server, serving
from tests.kit import until

FILES = 400  # file descriptors of the small server; they give it 250 places for connections
HEAD = "POST /api/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
RUN = b'{"job": "debug_task", "lane": "raw"}'


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Server]:
    """A server with few file descriptors. It waits only one second for the head of a request."""
    server = Server(tmp_path_factory.mktemp("small"), redis_url.removesuffix("0") + "3")
    server.prefix = ("prlimit", f"--nofile={FILES}:{FILES}")
    server.start()
    try:
        yield server
    finally:
        server.stop(9)
        server.http.close()


@contextmanager
def connections(server: Server, count: int, text: str | bytes) -> Iterator[list[socket.socket]]:
    """Open `count` connections that have sent `text` and then send nothing more."""
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", server.port), 30))
            opened[-1].sendall(text.encode() if isinstance(text, str) else text)
        yield opened
    finally:
        for each in opened:
            each.close()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "sent",
    ["GET / HT", f"{HEAD}X-A: ", f"{HEAD}Content-Length: 500\r\n\r\n{{", ""],
    ids=["line", "head", "body", "none"],
)
def test_half_sent_requests_lock_nobody_out(small_server: Server, sent: str) -> None:
    with connections(small_server, FILES, sent):
        for _ in range(3):  # each time with a new connection
            with small_server.fresh_client() as client:
                began = time.monotonic()
                assert client.get("/api/summary").status_code == 200
                assert client.post("/api/runs", json={"job": "debug_task", "lane": "raw"}).status_code == 202
                assert time.monotonic() - began < 3
        assert psutil.Process(pid_of(small_server)).num_fds() < FILES


def pid_of(server: Server) -> int:
    """The server's process id. `prlimit` replaces itself by the server, so the id stays the same."""
    assert server.process is not None
    return server.process.pid


@pytest.mark.thorough
def test_a_head_that_does_not_end_is_given_up(server: Server) -> None:
    with connections(server, 1, f"{HEAD}X-A: b") as [client]:
        began = time.monotonic()
        assert client.recv(100).startswith(b"HTTP/1.1 408")
        assert 5 < time.monotonic() - began < protocol.HEAD_SECONDS + 5
        assert_closed(client)


def assert_closed(client: socket.socket) -> None:
    """Check that the server sends nothing more."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        return


def test_a_head_without_end_does_not_fill_the_memory(server: Server) -> None:
    before = psutil.Process(pid_of(server)).memory_info().rss
    with connections(server, 1, f"{HEAD}X-A: ") as [client]:
        try:
            for _ in range(1_000):
                client.sendall(b"a" * 100_000)
        except OSError:
            pass
        else:
            raise AssertionError("100 MB of headers were taken")
    assert psutil.Process(pid_of(server)).memory_info().rss - before < 20_000_000


@pytest.mark.thorough
def test_a_client_that_does_not_read_its_answers_is_dropped(tmp_path: Path, redis_url: str) -> None:
    with serving(tmp_path, redis_url.removesuffix("0") + "4") as server:
        server.submit(count=200)
        asked = b"GET /api/runs?limit=200 HTTP/1.1\r\nHost: x\r\n\r\n" * 200
        with connections(server, 1, asked) as [client]:
            process = psutil.Process(pid_of(server))
            until(lambda: not any(c.status == "ESTABLISHED" and c.raddr and c.raddr[1] == client.getsockname()[1]
                                  for c in process.net_connections()), 45, "it is dropped")  # fmt: skip
        assert server.http.get("/healthz").status_code == 200


# ---------------------------------------------------------------- odd requests


def answers(server: Server, text: bytes, count: int) -> list[int]:
    """The statuses of the first `count` answers on one connection that sends `text`."""
    with connections(server, 1, text) as [client]:
        got = b""
        while got.count(b"HTTP/1.1 ") < count and (more := client.recv(65_536)):
            got += more
        return [int(part[:3]) for part in got.split(b"HTTP/1.1 ")[1:]]


def request(body: bytes = RUN, length: int | None = None) -> bytes:
    """A submission as bytes."""
    return f"{HEAD}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def test_requests_one_behind_the_other_are_answered_in_order(server: Server) -> None:
    before = server.counts()

    assert answers(server, request() + request(b'{"job": 1}') + request(), 3) == [202, 422, 202]
    assert server.counts() == before + 2


def test_two_lengths_are_refused(server: Server) -> None:
    before = server.counts()
    text = f"{HEAD}Content-Length: {len(RUN)}\r\nContent-Length: 5\r\n\r\n".encode() + RUN

    assert answers(server, text, 1) == [400]
    assert server.counts() == before


def test_a_length_and_chunks_are_refused(server: Server) -> None:
    text = (
        f"{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + b"24\r\n" + RUN + b"\r\n0\r\n\r\n"
    )

    assert answers(server, text, 1) == [400]


def test_a_submission_in_chunks_is_accepted(server: Server) -> None:
    text = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + b"24\r\n" + RUN + b"\r\n0\r\n\r\n"

    assert len(RUN) == 0x24
    assert answers(server, text, 1) == [202]


def test_big_bodies_on_their_way_are_bounded_together_and_small_ones_come_in(server: Server) -> None:
    big = b"POST /api/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15000000\r\n\r\n"
    before = psutil.Process(pid_of(server)).memory_info().rss
    with connections(server, 12, big) as clients:
        for client in clients:
            try:
                client.sendall(b" " * 12_000_000)
            except OSError:  # already refused
                continue
        assert server.submit()
        assert psutil.Process(pid_of(server)).memory_info().rss - before < 120_000_000


def test_this_process_may_open_all_that_it_may() -> None:
    child = os.fork()
    if child == 0:
        protocol.raise_limit()
        soft, hard = protocol.resource.getrlimit(protocol.resource.RLIMIT_NOFILE)
        os._exit(0 if soft == min(hard, protocol.MOST_PLACES + protocol.RESERVE) else 1)
    assert os.waitpid(child, 0)[1] == 0
