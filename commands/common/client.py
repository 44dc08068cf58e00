"""Client of the API, as any program could write it: JSON over HTTP.

Each submission has an idempotency key, so the client may send it again.
"""

import itertools
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from commands.common.console import NOT_UP, USAGE, Problem
from commands.common.state import run_dir

LANES = ("celery", "raw", "inline")
ENDED = ("done", "failed", "expired", "revoked")
AT_ONCE = 1_000  # runs that one request may ask for
IDS_AT_ONCE = 20_000  # ids that one question may name
INLINE_AT_ONCE = 10  # the answer comes after all of them are executed
# Requests at once. Inline means that the client waits for each answer before the next request.
HANDS = {"celery": 4, "raw": 4, "inline": 1}
PATIENCE = 30.0  # seconds for which the client repeats a request if the API does not answer
TIMEOUT = 600.0
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between us and our own machine


def base_url() -> str:
    """Return the API's address: `KIT_URL` from the environment, or the one that `kit up` wrote down.

    Raises:
        Problem: there is neither.
    """
    if url := os.environ.get("KIT_URL") or run_dir().read_env().get("KIT_URL"):
        return url.rstrip("/")
    raise Problem("the kit is not up", "./kit up", code=NOT_UP)


def call(method: str, path: str, body: Any = None, key: str | None = None, again: bool = False) -> Any:
    """Send one request and return the JSON of its answer.

    A refused connection or a 503 is tried again for `PATIENCE` seconds if a repetition is harmless. It is harmless for
    a GET, for a `key` by which the API recognises an accepted request, and if the caller says so by `again`.

    Raises:
        Problem: the API does not answer, or it refuses. The message of a refusal is the API's own.
    """
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    request = urllib.request.Request(  # noqa: S310 - our own address
        base_url() + path, None if body is None else json.dumps(body).encode(), headers, method=method
    )
    deadline = time.monotonic() + (PATIENCE if method == "GET" or key or again else 0.0)
    while True:
        try:
            with _opener.open(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise _refusal(error) from error
        except OSError as error:
            if time.monotonic() > deadline:
                raise Problem(f"the API does not answer at {base_url()}: {error}", "./kit doctor") from error
        time.sleep(0.5)


def _refusal(error: urllib.error.HTTPError) -> Problem:
    text = error.read().decode(errors="replace")
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        message = text.strip()[:300] or error.reason
    return Problem(f"{message}", f"{base_url()}/docs describes the API", code=USAGE if error.code < 500 else 4)


def submit(
    lane: str, job: str, args: dict[str, Any], count: int = 1, priority: int = 0, countdown: float = 0.0
) -> list[dict[str, Any]]:
    """Submit `count` runs of a job and return them as the API does: id, state, url.

    Raises:
        Problem: the API refuses.
    """
    accepted: list[dict[str, Any]] = []
    while len(accepted) < count:
        some = min(count - len(accepted), INLINE_AT_ONCE if lane == "inline" else AT_ONCE)
        body = {"lane": lane, "job": job, "args": args, "count": some, "priority": priority, "countdown": countdown}
        accepted += call("POST", "/api/runs", body, key=f"kit-{uuid.uuid4()}")["runs"]
    return accepted


def summary(ids: Sequence[str] | None = None) -> dict[str, dict[str, int]]:
    """Return the counts per lane, of the runs `ids` or of all runs."""
    if ids is None:
        answer: dict[str, dict[str, int]] = call("GET", "/api/summary")
        return answer
    counts: dict[str, dict[str, int]] = {lane: {} for lane in LANES}
    for start in range(0, len(ids), IDS_AT_ONCE):
        part = call("POST", "/api/summary", {"ids": list(ids[start : start + IDS_AT_ONCE])}, again=True)
        for lane, numbers in part.items():
            counts[lane] = {name: counts[lane].get(name, 0) + number for name, number in numbers.items()}
    return counts


def still_open(counts: dict[str, int]) -> int:
    """Return the number of counted runs that have not ended."""
    return counts.get("accepted", 0) - sum(counts.get(state, 0) for state in ENDED)


def pages(question: str) -> Iterator[dict[str, Any]]:
    """Yield the runs that fit `question`, newest first, page after page."""
    before = ""
    while True:
        page = call("GET", f"/api/runs?{question}&limit=200" + (f"&before={before}" if before else ""))
        yield from page["runs"]
        before = page["next"]
        if not before:
            return


def listed(since: str, lane: str, job: str) -> Iterator[dict[str, Any]]:
    """Yield the runs of `job` on `lane` with an id of `since` or later, newest first. Ids sort by creation time."""
    return itertools.takewhile(lambda run: run["id"] >= since, pages(f"lane={lane}&job={job}"))


def cancel(run_id: str) -> None:
    """Revoke a run. A run that has ended meanwhile stays as it is."""
    try:
        call("POST", f"/api/runs/{run_id}/cancel", again=True)
    except Problem as problem:
        if problem.code != USAGE:
            raise


def get_json(url: str) -> Any:
    """Return the JSON that another server of the kit answers to a GET.

    Raises:
        Problem: the server does not answer.
    """
    try:
        with _opener.open(url, timeout=10) as answer:
            return json.load(answer)
    except OSError as error:
        raise Problem(f"{url} does not answer: {error}", "./kit doctor") from error
