"""The signature of a status report: who can make one, and for how long it is good."""

import pytest

from cars_bot.callback import MAX_AGE, sign, verify
from cars_bot.errors import NotConfigured

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
