"""Signature of a report over HTTP: HMAC-SHA256 of the run's id, the time and the exact bytes of the body.

Without the secret nobody can end a run. The API refuses an old report.
"""

import hashlib
import hmac

from cars_bot.errors import NotConfigured

MAX_AGE = 300.0  # seconds that a signature stays valid


def sign(secret: str, run_id: str, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of run id, timestamp (seconds, as sent) and body, one on each line.

    Raises:
        NotConfigured: the secret is empty.
    """
    if not secret:
        raise NotConfigured("KIT_SECRET is empty; `./kit up` makes one, or set it in .env")
    return hmac.new(
        secret.encode(), b"\n".join((run_id.encode(), timestamp.encode(), body)), hashlib.sha256
    ).hexdigest()


def verify(secret: str, run_id: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """True if `signature` is right and at most `MAX_AGE` seconds old (or early)."""
    try:
        fresh = abs(now - float(timestamp)) <= MAX_AGE
    except ValueError:
        return False
    return fresh and hmac.compare_digest(sign(secret, run_id, timestamp, body), signature)
