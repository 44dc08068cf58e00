"""Fault 34: bodies that are too big, never end, or come one byte at a time, while submits must go on."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from api.request_body import BODY_CAP
from tests.faults.trial import Trial

BODIES = pytest.mark.fault(34, "an oversize, chunked or slowloris body")

HEAD = "POST /api/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MANY = 100


class Client:
    """A connection that can send anything."""

    def __init__(self, trial: Trial) -> None:
        address = urlsplit(str(trial.http.base_url))
        self.socket = socket.create_connection((str(address.hostname), int(address.port or 0)), 60)

    def send(self, text: str | bytes) -> "Client":
        self.socket.sendall(text.encode() if isinstance(text, str) else text)
        return self

    def status(self) -> int:
        """The status of the answer."""
        return int(self.socket.recv(4096).split()[1])


@pytest.fixture
def clients(trial: Trial) -> Iterator[list[Client]]:
    """Connections, which are closed at the end."""
    opened: list[Client] = []
    yield opened
    for client in opened:
        client.socket.close()


@BODIES
@pytest.mark.quick
def test_bodies_over_the_cap_are_refused_whether_or_not_they_say_how_long_they_are(
    trial: Trial, clients: list[Client]
) -> None:
    with trial.load():
        for _ in range(20):
            client = Client(trial)
            clients.append(client)
            client.send(f"{HEAD}Content-Length: {BODY_CAP + 1}\r\n\r\n" + "x" * 1000)
            assert client.status() == 413
        chunked = Client(trial)
        clients.append(chunked)
        chunked.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(BODY_CAP // 50_000 + 1):
            chunked.send(b"c350\r\n" + b"x" * 50_000 + b"\r\n")
        assert chunked.status() == 413
        trial.reach("DONE", 4)
    trial.healed()

    trial.survives(within=30)
    assert trial.slowest < 3.0, "a submit waited for somebody else's body"


@BODIES
def test_bodies_that_come_a_byte_at_a_time_are_given_up_and_hold_up_nobody(trial: Trial, clients: list[Client]) -> None:
    with trial.load():
        clients += [Client(trial).send(f"{HEAD}Content-Length: 500\r\n\r\n{{") for _ in range(MANY)]
        for client in clients[:10]:
            client.send(b" ")
        assert [client.status() for client in clients] == [408] * MANY
        for client in clients:
            client.socket.close()
    trial.healed()

    trial.survives(within=30)
    assert trial.slowest < 3.0, "a submit waited for somebody else's body"
