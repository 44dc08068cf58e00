"""Run store over HTTP: for a worker that reaches the API but not the database or Redis (`--report-to URL`).

Each report is signed (`signature.py`). The API applies the same rules to it as a worker with a database does.
"""

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from cars_bot import database, ledger, runs
from cars_bot.catalogue import Job
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.errors import NotConfigured, Permanent, StorageUnavailable
from cars_bot.outcome import AlreadyEnded, AtWork, Done, Expired, Failed, PutAside, Refused, Retry, Wait
from cars_bot.processes import clock, names
from cars_bot.run_store.signature import sign
from cars_bot.settings import settings

log = logging.getLogger(__name__)

TIMEOUT = 10.0
PATH = "/update_task_status_api/"
ASK_AGAIN = (0.2, 5.0)  # seconds between two tries, at first and at most: 0.2, 0.4, 0.8, 1.6 … s, at most 5


class _Unheard(StorageUnavailable):
    """No answer came, or the answer does not say whether the report was taken."""


def report_to(url: str) -> "HttpStore":
    """Make this process and its children report to `url`. They use no database and no Redis then.

    Args:
        url: the API's address. Without a path, the path for reports is added.

    Raises:
        NotConfigured: this is not an address, or there is no secret for the signature.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(f"--report-to {url!r} is not the address of an API; give http://host:port")
    if parts.path in ("", "/"):
        url = parts._replace(path=PATH).geturl()
    sign(settings().kit_secret, "", "", b"")  # this finds a missing secret now and not at the first run
    database.forbid("this worker reports over HTTP and has no database; run the job on a worker with DATABASE_URL")
    ledger.be_silent()  # the API records the events
    return HttpStore(url)


class HttpStore:
    """A run store that reports over HTTP. It is only for jobs that write nothing, because it cannot store writes.

    The API takes the attempt for the asking process, by its name (`processes/names.py`). If the answer was lost, the
    process asks again and gets the same attempt. A second report of one outcome gets the answer that it is recorded.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def begin(self, delivery: Delivery, job: Job, worker: str) -> Attempt | Refused:
        """See `RunStore.begin`."""
        asked = {"worker": worker, "job": job.name, "lane": delivery.lane, "args": delivery.args,
                 "redelivered": delivery.redelivered, "parent": delivery.parent, "holder": names.me()}  # fmt: skip
        status, answer = self._ask_until_answered(delivery.run_id, "IN_PROGRESS", asked)
        if status == 200:
            return Attempt(
                int(answer["attempt"]), answer["args"], delivery.steps, names.me(), answer["waits"], answer["waited"]
            )
        return _refused(answer)

    def record(self, context: Context, outcome: Done | Retry | Failed, began: float) -> Refused | None:
        """See `RunStore.record`."""
        common: dict[str, Any] = {"attempt": context.attempt, "worker": context.worker, "holder": context.taken.holder}
        match outcome:
            case Done(result):
                if context.writes or context.next_runs or context.steps:
                    raise NotConfigured("this job writes to the database; run it on a worker with DATABASE_URL")
                word, more = "DONE", {"result": from_json(runs.as_json(result)), "effects": context.effects}
            case Retry(after, error, throttled):
                word, more = "RETRYING", {"error": error, "after": after, "told": throttled}
            case Failed(error):
                word, more = "FAILED", {"error": error}
        status, answer = self.report(context.run_id, word, common | {"began": began} | more)
        return None if status == 200 else _refused(answer)

    def fail(self, run_id: str, error: str) -> bool:
        """See `RunStore.fail`."""
        return self.report(run_id, "KILLED", {"error": error})[0] == 200

    def fail_waiting(self, run_id: str, lane: str, error: str, holder: str | None = None) -> bool:
        """See `RunStore.fail_waiting`."""
        return self.report(run_id, "PUT_ASIDE", {"lane": lane, "error": error, "holder": holder or ""})[0] == 200

    def record_loss(self, run_id: str, lane: str, pid: int, worker: str, detail: str) -> None:
        """See `RunStore.record_loss`."""
        about = {"lane": lane, "worker": worker, "holder": names.child(pid), "error": detail}
        self.report(run_id, "LOST", about)

    def is_revoked(self, run_id: str) -> bool:
        """Return False: nobody asks the API each second. The API refuses the outcome of a revoked run."""
        return False

    def _ask_until_answered(self, run_id: str, word: str, more: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Ask until there is an answer or the soft time limit strikes. Without an answer we may hold the attempt."""
        pause = ASK_AGAIN[0]
        while True:
            try:
                return self.report(run_id, word, more)
            except _Unheard as error:
                log.warning("run %s: the API is asked again in %.1f s: %s", run_id, pause, error)
                time.sleep(pause)
                pause = min(2 * pause, ASK_AGAIN[1])

    def report(self, run_id: str, word: str, more: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one signed report. Return the API's status (200, 409, or 503 with advice) and its answer.

        Raises:
            StorageUnavailable: the API did not take the report, or that is unknown; report again.
            Permanent: the API will never take the report.
        """
        body = json.dumps({"id": run_id, "status": word} | more).encode()
        for chance in (1, 0):
            status, answer, date = self._post(run_id, body)
            if status in (200, 409) or (status == 503 and answer.get("error") == "not_now"):
                return status, answer
            if status == 401 and chance and _learn(date):
                continue  # our clock was wrong at the signature; now it is right
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
        except (OSError, HTTPException, ValueError) as error:  # also if the API died during its answer
            raise _Unheard(f"the API cannot be reached: {error!r}") from error


REFUSALS: dict[str, Callable[[dict[str, Any]], Refused]] = {
    "not_now": lambda answer: Wait(float(answer["after"]), str(answer["message"])),
    "at_work": lambda _answer: AtWork(),
    "stale_attempt": lambda _answer: AtWork(),
    "put_aside": lambda answer: PutAside(str(answer["message"])),
    "failed": lambda answer: Failed(str(answer["message"])),
    "expired": lambda _answer: Expired(),
    "already_ended": lambda answer: AlreadyEnded(str(answer["state"])),
}


def _refused(answer: dict[str, Any]) -> Refused:
    return REFUSALS[answer["error"]](answer)


def _learn(date: str) -> bool:
    """Learn the time from the Date header of an answer, in whole seconds. Return whether it changed our clock."""
    try:
        seconds = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return False
    before = clock.now()
    clock.compare(lambda: seconds + 0.5, "the API")
    return abs(clock.now() - before) > 1.0
