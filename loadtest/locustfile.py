"""Load over HTTP, on every lane at once: `./kit locust --headless -u 20 -r 10 -t 30s`.

Two figures per lane: how long the API takes to accept (`POST`), and how long it takes from there until the run has
ended (`E2E`). The second is what a person waits for. Scale a lane (`./kit scale celery_worker=3`) and look at its E2E
line again.

    LANES=celery,raw   which lanes to use
    JOB=process_task   what to submit, with ARGS as JSON
"""

import json
import os
import time

from locust import HttpUser, between, task

LANES = os.environ.get("LANES", "celery,raw,inline").split(",")
JOB = os.environ.get("JOB", "process_task")
ARGS = json.loads(os.environ.get("ARGS", '{"task_num": 1, "timeout": 0.05}'))
GIVE_UP_SECONDS = 60.0


class Visitor(HttpUser):
    """Submits a run to each lane in turn and waits for its end."""

    wait_time = between(0.1, 0.5)

    @task
    def submit_and_wait(self) -> None:
        """One run on each lane."""
        for lane in LANES:
            self.one_run(lane)

    def one_run(self, lane: str) -> None:
        """Submit a run, watch it end, and report both times to locust."""
        began = time.perf_counter()
        body = {"lane": lane, "job": JOB, "args": ARGS}
        with self.client.post("/api/runs", json=body, name=f"POST {lane}", catch_response=True) as reply:
            if reply.status_code not in (200, 202):
                reply.failure(f"{reply.status_code}: {reply.text[:200]}")
                return
            run = reply.json()["runs"][0]
        error = None
        while run["state"] in ("PENDING", "IN_PROGRESS", "RETRYING"):
            if time.perf_counter() - began > GIVE_UP_SECONDS:
                error = TimeoutError(f"{run['id']} is still {run['state']} after {GIVE_UP_SECONDS:.0f} s")
                break
            with self.client.get(f"/api/runs/{run['id']}", params={"wait": 10}, name=f"GET {lane} (wait)") as answer:
                run = answer.json()
        if run["state"] != "DONE" and error is None:
            error = RuntimeError(f"{run['id']} ended {run['state']}: {run.get('error')}")
        self.environment.events.request.fire(
            request_type="E2E",
            name=lane,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=error,
            context={},
        )
