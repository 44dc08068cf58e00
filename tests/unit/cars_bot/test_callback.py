"""The signature of a status report: who can make one, and how long it is valid."""

import socket
import threading

import pytest

from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.run_store.over_http import HttpStore
from cars_bot.run_store.signature import MAX_AGE, sign, verify
from cars_bot.settings import settings

BODY = b'{"id": "r1", "status": "DONE"}'
SIGNED = sign("secret", "r1", "1000.0", BODY)


def test_a_report_signed_with_the_secret_is_taken() -> None:
    assert verify("secret", "r1", "1000.0", BODY, SIGNED, now=1000.0 + MAX_AGE)


@pytest.mark.parametrize(
    ("secret", "run_id", "timestamp", "body", "now"),
    [
        ("other", "r1", "1000.0", BODY, 1000.0),
        ("secret", "r2", "1000.0", BODY, 1000.0),
        ("secret", "r1", "1000.1", BODY, 1000.0),
        ("secret", "r1", "1000.0", BODY.replace(b"DONE", b"FAIL"), 1000.0),
        ("secret", "r1", "1000.0", BODY, 1000.0 + MAX_AGE + 1),
        ("secret", "r1", "1000.0", BODY, 1000.0 - MAX_AGE - 1),
        ("secret", "r1", "yesterday", BODY, 1000.0),
        ("secret", "r1", "nan", BODY, 1000.0),
    ],
    ids=["wrong secret", "other run", "other time", "tampered", "stale", "from the future", "no time", "not a number"],
)
def test_any_other_is_refused(secret: str, run_id: str, timestamp: str, body: bytes, now: float) -> None:
    assert not verify(secret, run_id, timestamp, body, SIGNED, now)


def test_without_a_secret_nothing_is_signed() -> None:
    with pytest.raises(NotConfigured, match="KIT_SECRET"):
        sign("", "r1", "1000.0", BODY)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200", b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"att', b"HTTP/1.1 200 OK\r\n\r\n<html>",
     b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\xff", b"SSH-2.0 who are you\r\n", b"HTTP/1.1 503 Busy\r\n\r\n"],
)  # fmt: skip
def test_an_api_that_dies_in_mid_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as client:
                client.recv(65_536)
                client.sendall(answer)

        monkeypatch.setenv("KIT_SECRET", "secret")
        settings.cache_clear()
        serving = threading.Thread(target=serve)
        serving.start()
        try:
            with pytest.raises(StorageUnavailable):  # a lane tries again after this error
                HttpStore(f"http://127.0.0.1:{server.getsockname()[1]}/").report("r1", "DONE", {})
        finally:
            settings.cache_clear()
            serving.join()
