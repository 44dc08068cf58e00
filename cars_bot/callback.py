"""Reporting over HTTP: for a worker that reaches the API but neither the database nor Redis (`API_URL`).

A report is signed with HMAC-SHA256 over the run's id, the time and the very bytes of the body, so that nobody without
the secret can end a run, and an old report cannot be sent again much later. The API applies it by the same state
rules as everything else.
"""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from cars_bot.catalogue import Job
from cars_bot.context import Context
from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.outcome import AlreadyEnded, Attempt, Delivery, Done, Failed, Refused, Retry
from cars_bot.settings import settings

MAX_AGE = 300.0  # seconds a signature stays good
TIMEOUT = 10.0


def sign(secret: str, run_id: str, timestamp: str, body: bytes) -> str:
    """The hexadecimal HMAC-SHA256 of run id, timestamp (seconds, as sent) and body, each on a line of its own.

    Raises:
        NotConfigured: the secret is empty.
    """
    if not secret:
        raise NotConfigured("KIT_SECRET is empty; `./kit up` makes one, or set it in .env")
    return hmac.new(
        secret.encode(), b"\n".join((run_id.encode(), timestamp.encode(), body)), hashlib.sha256
    ).hexdigest()


def verify(secret: str, run_id: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether `signature` is right and not older (or newer) than `MAX_AGE` seconds."""
    try:
        fresh = abs(now - float(timestamp)) <= MAX_AGE
    except ValueError:
        return False
    return fresh and hmac.compare_digest(sign(secret, run_id, timestamp, body), signature)


def report(run_id: str, status: dict[str, Any]) -> dict[str, Any] | None:
    """Send one signed report and return the API's answer; None if it says the run has ended already (409).

    Raises:
        StorageUnavailable: the API did not take it.
    """
    body = json.dumps({"id": run_id, **status}).encode()
    timestamp = f"{time.time():.3f}"
    headers = {
        "Content-Type": "application/json",
        "X-Run-Id": run_id,
        "X-Timestamp": timestamp,
        "X-Signature": sign(settings().kit_secret, run_id, timestamp, body),
    }
    request = urllib.request.Request(settings().api_url, body, headers)  # noqa: S310 - our own setting
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310
            answer: dict[str, Any] = json.load(reply)
            return answer
    except urllib.error.HTTPError as error:
        if error.code == 409:
            return None
        raise StorageUnavailable(f"the API refused the report with {error.code}") from error
    except (OSError, HTTPException, json.JSONDecodeError, UnicodeDecodeError) as error:  # also: it died in mid-answer
        raise StorageUnavailable(f"the API cannot be reached: {error!r}") from error


class CallbackBook:
    """Outcomes over HTTP. Only for jobs that write nothing: their writes would have nowhere to go."""

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """Report IN_PROGRESS; the API answers with the attempt's number, or 409 if the run has ended."""
        started = report(
            delivery.run_id,
            {"status": "IN_PROGRESS", "worker": worker, "job": job.name, "lane": delivery.lane, "args": delivery.args,
             "redelivered": delivery.redelivered},
        )  # fmt: skip
        if started is None:
            return AlreadyEnded("ENDED")
        return Attempt(int(started["attempt"]), delivery.args, delivery.steps)

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """Report the outcome."""
        status: dict[str, Any] = {"attempt": context.attempt, "worker": context.worker, "began": began}
        if isinstance(outcome, Done):
            if context.writes or context.next_runs or context.steps:
                raise NotConfigured("this job writes to the database; run its worker with DATABASE_URL")
            status |= {"status": "DONE", "result": outcome.result, "effects": context.effects}
        elif isinstance(outcome, Retry):
            status |= {"status": "RETRYING", "error": outcome.error, "after": outcome.after}
        else:
            status |= {"status": "FAILED", "error": outcome.error}
        return report(context.run_id, status) is not None
