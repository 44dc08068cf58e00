"""The proxy of the fault suite, between a client and a server that repeats every byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.proxy import Proxy
from tests.kit import until


@pytest.fixture
def heard() -> list[bytes]:
    """The bytes that the server has received."""
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[Proxy]:
    """A proxy in front of the server."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            while data := connection.recv(4096):
                heard.append(data)
                connection.sendall(b"".join(bytes([byte, byte]) for byte in data))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    made = Proxy(listener.getsockname())
    yield made
    made.close()
    listener.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def ask(client: socket.socket, question: bytes) -> bytes:
    """Send, and read an answer of twice the length."""
    client.sendall(question)
    answer = b""
    while len(answer) < 2 * len(question):
        answer += client.recv(4096)
    return answer


@pytest.mark.parametrize("mode", ["pass", "delay", "slice"])
def test_what_comes_in_goes_out_late_or_in_pieces(proxy: Proxy, heard: list[bytes], mode: str) -> None:
    proxy.mode = mode
    with connect(proxy) as client:
        assert ask(client, b"0123456789") == b"00112233445566778899"
    assert b"".join(heard) == b"0123456789"


def test_a_half_open_connection_says_nothing_and_stays_silent_when_others_work_again(
    proxy: Proxy, heard: list[bytes]
) -> None:
    with connect(proxy) as client, connect(proxy) as idle:
        assert ask(client, b"a") == b"aa"
        proxy.mode = "swallow"
        client.sendall(b"b")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        proxy.mode = "pass"
        client.sendall(b"c")
        with pytest.raises(TimeoutError):
            client.recv(10)
        assert ask(idle, b"d") == b"dd"
    assert heard == [b"a", b"d"]


def test_a_dropped_reply_is_lost_although_the_request_arrived(proxy: Proxy, heard: list[bytes]) -> None:
    with connect(proxy) as client:
        proxy.mode = "drop replies"
        client.sendall(b"a")
        until(lambda: heard == [b"a"], 5, "the request has arrived")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        proxy.forget_broken()
        client.settimeout(5)
        assert client.recv(10) == b""


def test_a_cut_ends_a_connection_and_a_reset_breaks_it(proxy: Proxy) -> None:
    with connect(proxy) as client:
        ask(client, b"a")
        proxy.cut()
        assert client.recv(10) == b""
    with connect(proxy) as client:
        ask(client, b"a")
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def test_a_proxy_that_refuses_closes_new_connections_at_once(proxy: Proxy) -> None:
    proxy.refusing = True
    with connect(proxy) as client:
        assert client.recv(10) == b""
    proxy.refusing = False
    with connect(proxy) as client:
        assert ask(client, b"a") == b"aa"
