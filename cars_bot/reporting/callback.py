"""Reporting over HTTP: for a worker that reaches the API but neither the database nor Redis (`--report-to URL`).

A report is signed with HMAC-SHA256 over the run's id, the time and the very bytes of the body, so that nobody without
the secret can end a run, and an old report cannot be sent again much later. The API applies it by the same state
rules as everything else.
"""

import hashlib
import hmac
import json
import logging
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from cars_bot import database, ledger, runs
from cars_bot.catalogue import Job
from cars_bot.context import Context
from cars_bot.errors import NotConfigured, Permanent, StorageUnavailable
from cars_bot.outcome import (
    AlreadyEnded,
    Attempt,
    AtWork,
    Delivery,
    Done,
    Expired,
    Failed,
    PutAside,
    Refused,
    Retry,
    Wait,
)
from cars_bot.processes import clock, liveness
from cars_bot.settings import settings

log = logging.getLogger(__name__)

MAX_AGE = 300.0  # seconds a signature stays good
TIMEOUT = 10.0
PATH = "/update_task_status_api/"
ASK_AGAIN = (0.2, 5.0)  # seconds between two tries: at first, and at most


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


class _Unheard(StorageUnavailable):
    """No answer came, or none that says whether the report was taken."""


def report_to(url: str) -> "CallbackBook":
    """Make this process, and those it forks, one that has no database and no Redis, and reports to `url`.

    Args:
        url: the API's; with nothing behind the host, the path where it takes reports is added.

    Raises:
        NotConfigured: the address is none, or there is no secret to sign with.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(f"--report-to {url!r} is no address of an API; give http://host:port")
    if parts.path in ("", "/"):
        url = parts._replace(path=PATH).geturl()
    sign(settings().kit_secret, "", "", b"")  # better now than at the first run
    database.forbid("this worker reports over HTTP and has no database; run the job on a worker with DATABASE_URL")
    ledger.be_silent()  # the API tells what it hears of
    return CallbackBook(url)


class CallbackBook:
    """Outcomes over HTTP. Only for jobs that write nothing: their writes would have nowhere to go.

    The API takes the attempt for the process that asks, by its name (`liveness.py`). So who asks again, because the
    answer was lost, is given the same attempt, and who reports again is told that it is noted.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `Book.begin`."""
        asked = {"worker": worker, "job": job.name, "lane": delivery.lane, "args": delivery.args,
                 "redelivered": delivery.redelivered, "parent": delivery.parent, "holder": liveness.me()}  # fmt: skip
        status, answer = self._ask_until_answered(delivery.run_id, "IN_PROGRESS", asked)
        if status == 200:
            return Attempt(
                int(answer["attempt"]), answer["args"], delivery.steps, liveness.me(), answer["waits"], answer["waited"]
            )
        said = str(answer.get("message", ""))
        match answer.get("error"):
            case "not_now":
                return Wait(float(answer["after"]), said)
            case "at_work":
                return AtWork()
            case "put_aside":
                return PutAside(said)
            case "failed":
                return Failed(said)
            case "expired":
                return Expired()
        return AlreadyEnded(str(answer.get("state", "ENDED")))

    def finish(self, context: Context, outcome: Done | Retry | Failed, began: float) -> bool:
        """See `Book.finish`."""
        told: dict[str, Any] = {"attempt": context.attempt, "worker": context.worker, "holder": context.holder}
        match outcome:
            case Done(result):
                if context.writes or context.next_runs or context.steps:
                    raise NotConfigured("this job writes to the database; run it on a worker with DATABASE_URL")
                word, more = "DONE", {"result": from_json(runs.as_json(result)), "effects": context.effects}
            case Retry(after, error, told_to):
                word, more = "RETRYING", {"error": error, "after": after, "told": told_to}
            case Failed(error):
                word, more = "FAILED", {"error": error}
        return self.report(context.run_id, word, told | {"began": began} | more)[0] == 200

    def end(self, run_id: str, error: str) -> bool:
        """See `Book.end`."""
        return self.report(run_id, "KILLED", {"error": error})[0] == 200

    def end_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """See `Book.end_waiting`."""
        return self.report(run_id, "PUT_ASIDE", {"lane": lane, "error": error, "holder": holder or ""})[0] == 200

    def lost(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """See `Book.lost`."""
        about = {"lane": lane, "worker": worker, "holder": liveness.child(pid), "error": detail}
        self.report(run_id, "LOST", about)

    def is_revoked(self, run_id: str) -> bool:
        """Never: the API is not asked each second. The outcome of a revoked run is refused when it is reported."""
        return False

    def _ask_until_answered(self, run_id: str, word: str, more: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Ask for as long as the job's soft time limit lets us: who asked and heard nothing may hold the attempt."""
        pause = ASK_AGAIN[0]
        while True:
            try:
                return self.report(run_id, word, more)
            except _Unheard as error:
                log.warning("run %s: the API is asked again in %.1f s: %s", run_id, pause, error)
                time.sleep(pause)
                pause = min(2 * pause, ASK_AGAIN[1])

    def report(self, run_id: str, word: str, more: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one signed report and return the API's answer: 200, 409, or 503 with what to do.

        Raises:
            StorageUnavailable: the API did not take it, or nobody knows; to be reported again.
            Permanent: the API will never take it.
        """
        body = json.dumps({"id": run_id, "status": word} | more).encode()
        for chance in (1, 0):
            status, answer, date = self._post(run_id, body)
            if status in (200, 409) or (status == 503 and answer.get("error") == "not_now"):
                return status, answer
            if status == 401 and chance and _learn(date):
                continue  # it was signed by a clock that is wrong
            said = f"the API refused the report with {status}: {str(answer.get('message', ''))[:500]}"
            if status in (403, 404, 413, 422):
                raise Permanent(said)
            raise _Unheard(said) if status >= 500 else StorageUnavailable(said)
        raise AssertionError

    def _post(self, run_id: str, body: bytes) -> tuple[int, dict[str, Any], str]:
        timestamp = f"{clock.now():.3f}"
        headers = {
            "Content-Type": "application/json",
            "X-Run-Id": run_id,
            "X-Timestamp": timestamp,
            "X-Signature": sign(settings().kit_secret, run_id, timestamp, body),
        }
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 - its scheme was checked
        try:
            try:
                reply = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
            except urllib.error.HTTPError as refusal:
                reply = refusal
            with reply:
                answer = json.load(reply)
                return int(reply.status), answer if isinstance(answer, dict) else {}, reply.headers.get("Date", "")
        except (OSError, HTTPException, ValueError) as error:  # also: it died in mid-answer
            raise _Unheard(f"the API cannot be reached: {error!r}") from error


def _learn(date: str) -> bool:
    """Learn the time from the head of an answer, which counts in seconds; whether that changed anything."""
    try:
        told = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return False
    before = clock.now()
    clock.compare(lambda: told + 0.5, "the API")
    return abs(clock.now() - before) > 1.0
