"""Load over HTTP, on every lane at once: `./kit locust --headless -u 20 -r 10 -t 15s`.

Each lane has two figures. `POST` is the time until the API has accepted a run. `E2E` is the time from the submission to
the end of the run, as a person waits for it. Each submitted run counts: a run that does not end counts as failed.
Scale a lane (`./kit scale celery_worker=3`) and look at its E2E line again.

    LANES=celery,raw   the lanes to use
    JOB=process_task   the job to submit, with ARGS as JSON

The exit status is 1 if one request or one run failed. Locust's page has no password, so nothing here listens beyond
this machine.
"""

import ipaddress
import json
import os
import sys
import time
import uuid
from collections import Counter
from typing import Any

import gevent
from gevent.pool import Group
from locust import HttpUser, between, events, task

from cars_bot.catalogue import JOBS, WORKFLOWS, job_named
from cars_bot.errors import CarsBotError

KNOWN_LANES = ("celery", "raw", "inline")
OPEN = ("PENDING", "IN_PROGRESS", "RETRYING")
GIVE_UP = 60.0  # seconds; after them a run counts as one that never ends
GRACE = 10.0  # seconds for the open runs after the end of the test
NEVER = "never ended: still "


def asked_for() -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Return LANES, JOB and ARGS. They are checked before the first request.

    Raises:
        ValueError: one of them is wrong. The message is one sentence.
    """
    lanes = tuple(dict.fromkeys(lane.strip() for lane in os.environ.get("LANES", ",".join(KNOWN_LANES)).split(",")))
    if wrong := [lane for lane in lanes if lane not in KNOWN_LANES]:
        raise ValueError(f"LANES: there is no lane {wrong[0]!r}; write some of {','.join(KNOWN_LANES)}")
    job, text = os.environ.get("JOB", "process_task"), os.environ.get("ARGS", "")
    if not text:
        text = '{"task_num": 1, "timeout": 0.05}' if job == "process_task" else "{}"
    try:
        args = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"ARGS is not JSON ({error}); write it like '{{\"task_num\": 1}}'") from error
    if not isinstance(args, dict):
        raise ValueError("ARGS is not a JSON object; write it like '{\"task_num\": 1}'")
    try:
        for step in WORKFLOWS.get(job, (job,)):
            job_named(step).bind(**args)
    except CarsBotError as error:
        raise ValueError(f"{'ARGS' if job in JOBS or job in WORKFLOWS else 'JOB'}: {error}") from error
    return lanes, job, args


try:
    LANES, JOB, ARGS = asked_for()
except ValueError as error:
    sys.stderr.write(f"kit locust: {error}\n")
    sys.exit(2)

open_now: Counter[str] = Counter()  # runs that this process waits for, by lane
submitted: Counter[str] = Counter()
# A greenlet of its own follows each run, because locust may end a user in the middle of one.
runs = Group()


class Visitor(HttpUser):
    """A user who submits a run and waits for its end, again and again."""

    wait_time = between(0.1, 0.5)

    @task
    def one_run(self) -> None:
        """Follow one run from its submission to its end."""
        runs.spawn(self.follow).join()

    def follow(self) -> None:
        """Use the lane with the fewest open runs, so that a lane that stands still does not hold up the others."""
        lane = min(LANES, key=lambda lane: (open_now[lane], submitted[lane]))
        open_now[lane] += 1
        submitted[lane] += 1
        began, seen = time.perf_counter(), {"state": "not accepted"}
        try:
            self.submit(lane, seen, began + GIVE_UP)
            self.wait_for_the_end(lane, seen, began + GIVE_UP)
        finally:  # also when the time is over
            open_now[lane] -= 1
            self.environment.events.request.fire(
                request_type="E2E",
                name=lane,
                response_time=(time.perf_counter() - began) * 1000,
                response_length=0,
                exception=what_is_wrong(seen),
                context={},
            )

    def submit(self, lane: str, seen: dict[str, Any], deadline: float) -> None:
        """Send the run until the API answers. The idempotency key makes it one run, even if it is sent again."""
        headers = {"Idempotency-Key": f"locust-{uuid.uuid4()}"}
        body = {"lane": lane, "job": JOB, "args": ARGS}
        while time.perf_counter() < deadline:
            with self.client.post(
                "/api/runs", json=body, headers=headers, name=f"POST {lane}", catch_response=True
            ) as reply:
                if reply.status_code in (200, 202):
                    seen.update(reply.json()["runs"][0])
                    return
                why = str(reply.error) if reply.status_code == 0 else reply.text
                reply.failure(f"{reply.status_code}: {why[:200]}")
            if 400 <= reply.status_code < 500 and reply.status_code != 429:
                seen["state"] = f"refused with {reply.status_code}"
                return
            gevent.sleep(0.5)

    def wait_for_the_end(self, lane: str, seen: dict[str, Any], deadline: float) -> None:
        """Ask for the run until it has ended. If the API is away for a while, ask again."""
        while seen["state"] in OPEN and time.perf_counter() < deadline:
            reply = self.client.get(f"/api/runs/{seen['id']}", params={"wait": 10}, name=f"GET {lane} (wait)")
            if reply.status_code == 200:
                seen.update(reply.json())
            elif 400 <= reply.status_code < 500:
                seen["state"] = f"unknown to the API ({reply.status_code})"
            else:
                gevent.sleep(0.5)


def what_is_wrong(run: dict[str, Any]) -> Exception | None:
    """Return the reason why a run counts as failed, or None. It has no run id, so that locust groups equal reasons."""
    if run["state"] == "DONE":
        return None
    if run["state"] in OPEN:
        return TimeoutError(NEVER + run["state"])
    return RuntimeError(f"ended {run['state']}: {run.get('error')}" if "id" in run else f"{run['state']}")


def beyond_this_machine(host: str) -> bool:
    """Return whether other machines can reach a server that listens at `host`."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host != "localhost"


@events.init_command_line_parser.add_listener
def our_defaults(parser: Any, **_: Any) -> None:
    """Set loopback as the default address; locust itself listens on every address."""
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")


@events.init.add_listener
def only_this_machine(environment: Any, **_: Any) -> None:
    """Refuse an address that other machines can reach, before the page opens."""
    options = environment.parsed_options
    for option, host in (("--web-host", options.web_host), ("--master-bind-host", options.master_bind_host)):
        if beyond_this_machine(host):
            sys.stderr.write(f"kit locust: {option} {host}: locust has no password; use 127.0.0.1 and an SSH tunnel\n")
            sys.exit(2)


@events.test_stop.add_listener
def let_open_runs_end(**_: Any) -> None:
    """Wait for the open runs, at most `GRACE` seconds. A run that is still open then counts as failed."""
    runs.join(timeout=GRACE)
    runs.kill()


@events.quitting.add_listener
def count_what_never_ended(environment: Any, **_: Any) -> None:
    """End the last users before locust computes its exit status, and print how many runs never ended."""
    if environment.runner.state not in ("stopped", "cleanup"):
        environment.runner.quit()
    missing: Counter[str] = Counter()
    for error in environment.stats.errors.values():
        if error.method == "E2E" and NEVER in str(error.error):
            missing[error.name] += error.occurrences
    for lane, count in missing.items():
        of = environment.stats.get(lane, "E2E").num_requests
        print(f"{lane}: {count} of {of} runs never ended; they count as failed. ./kit doctor says why.", flush=True)
