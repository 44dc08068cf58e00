"""The broker's users, as on a server or in the containers. Each can do its own work, and no other user's."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pika
import pika.exceptions
import pytest

from tests.api.server import Server, serving
from tests.contract.raw_lane import Servers
from tests.kit import ENDED, ROOT, until

pytestmark = pytest.mark.thorough

DEFINITIONS = ROOT / "deploy" / "rabbitmq" / "definitions.json"
WORKERS = {
    "celery_worker": ["celery", "-A", "celery_app", "worker", "-l", "info", "-c", "1", "-n", "celery_worker@%h"],
    "consumer": ["raw_consumer", "worker", "--concurrency", "1", "--name", "consumer"],
}


def url(servers: Servers, user: str, vhost: str = "") -> str:
    """The broker's address for a user."""
    parts = urlsplit(servers.addresses["RMQ_URL"])
    return f"amqp://{user}:qwerty@{parts.hostname}:{parts.port}/{vhost}"


@pytest.fixture(scope="module")
def broker(servers: Servers) -> Iterator[Servers]:
    """A broker with the users of `deploy/rabbitmq`, and with a virtual host that none of them may use."""
    servers.rabbitmqctl("import_definitions", str(DEFINITIONS))
    servers.rabbitmqctl("add_vhost", "other")
    yield servers
    servers.rabbitmqctl("delete_vhost", "other")
    servers.rabbitmqctl("set_user_tags", "student", "administrator")  # other tests expect this user with this tag


@contextmanager
def worker(folder: Path, command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A worker that runs during the block and is killed afterwards."""
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=log,
                                   stderr=log, start_new_session=True)  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def installed(broker: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API and a worker of each lane, each with its own user."""
    folder = tmp_path_factory.mktemp("users")
    redis_url = broker.addresses["REDIS_URL"].replace("/0", "/5")
    with serving(folder, redis_url, RMQ_URL=url(broker, "api")) as server:
        as_user = {name: server.environment | {"RMQ_URL": url(broker, name)} for name in WORKERS}
        with (
            worker(folder, WORKERS["celery_worker"], as_user["celery_worker"]),
            worker(folder, WORKERS["consumer"], as_user["consumer"]),
        ):
            until(lambda: len(heard(server)) == 2, 60, "both workers are heard of")
            yield server


def heard(server: Server) -> list[dict[str, Any]]:
    """The workers that answer."""
    workers: list[dict[str, Any]] = server.http.get("/api/workers").json()["workers"]
    return workers


def ended(server: Server, run_id: str) -> dict[str, Any]:
    """Wait until a run has ended."""
    run: dict[str, Any] = until(lambda: (r := server.run(run_id))["state"] in ENDED and r, 30, f"{run_id} ended")
    return run


def test_everybody_can_do_what_they_are_there_for(installed: Server, lane: str) -> None:
    (good,) = installed.submit(lane, "process_task", args={"task_num": 1, "timeout": 0})
    (retried,) = installed.submit(lane, "fail_times", args={"times": 1})
    (later,) = installed.submit(lane, "debug_task", countdown=1)
    (bad,) = installed.submit(lane, "refuse")

    assert [ended(installed, each)["state"] for each in (good, retried, later, bad)] == ["DONE"] * 3 + ["FAILED"]
    listed = lambda: [x["id"] for x in installed.http.get(f"/api/dead-letters?lane={lane}").json()["letters"]]  # noqa: E731
    until(lambda: bad in listed(), 10, "the failed one is a dead letter")
    assert installed.http.post("/api/dead-letters/discard", json={"lane": lane, "runs": [bad]}).status_code == 200
    assert bad not in listed()
    assert installed.http.get("/api/queues").json()[lane]["default"] == 0


def test_the_api_may_copy_the_messages_of_both_lanes(installed: Server) -> None:
    wanted = {"count": 2, "jobs": [{"job": "debug_task"}]}
    comparison = installed.http.post("/api/comparisons", json=wanted).json()["id"]
    shown = until(lambda: (r := look(installed, comparison))["state"] == "ENDED" and r, 60, "the comparison has ended")

    assert [lane["published_per_job"] for lane in shown["result"]["lanes"].values()] == [1.0, 1.0]


def look(server: Server, comparison: str) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get(f"/api/comparisons/{comparison}").json()
    return found


Act = Callable[[Any], object]
FORBIDDEN: dict[str, tuple[str, Act]] = {
    "a Celery worker reads the other lane": ("celery_worker", lambda c: c.basic_get("raw.default")),
    "a Celery worker deletes the other lane": ("celery_worker", lambda c: c.queue_delete("raw.default")),
    "a Celery worker makes a queue of its own": ("celery_worker", lambda c: c.queue_declare("mine")),
    "a Celery worker sends to the other lane": ("celery_worker", lambda c: c.basic_publish("", "raw.default", b"")),
    "the API sends past the exchanges": ("api", lambda c: c.basic_publish("", "default", b"")),
    "a consumer listens in as the API does": ("consumer", lambda c: c.queue_declare("wire_tap.raw.x", exclusive=True)),
    "a consumer reads the other lane": ("consumer", lambda c: c.basic_get("default")),
    "a consumer deletes the other lane": ("consumer", lambda c: c.queue_delete("default")),
    "a consumer speaks to Celery's workers": ("consumer", lambda c: c.basic_publish("celery.pidbox", "", b"")),
    "Flower reads jobs": ("flower", lambda c: c.basic_get("default")),
    "Flower sends jobs": ("flower", lambda c: c.basic_publish("cars_bot", "default", b"")),
    "Flower deletes dead letters": ("flower", lambda c: c.queue_purge("celery.dead")),
    "the API makes a queue of its own": ("api", lambda c: c.queue_declare("mine")),
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_nobody_can_do_what_is_not_theirs(installed: Server, broker: Servers, case: str) -> None:
    user, act = FORBIDDEN[case]
    connection = pika.BlockingConnection(pika.URLParameters(url(broker, user)))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refusal:
            act(channel)
        assert refusal.value.reply_code == 403
    finally:
        connection.close()


@pytest.mark.parametrize("user", ["api", "celery_worker", "consumer", "flower"])
def test_nobody_gets_into_another_virtual_host_or_manages_the_broker(broker: Servers, user: str) -> None:
    management = broker.addresses["RMQ_MANAGEMENT_URL"]
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(pika.URLParameters(url(broker, user, "other")))
    with httpx.Client(base_url=management, auth=(user, "qwerty"), timeout=30, trust_env=False) as process:
        assert process.delete("/api/vhosts/other").status_code in (401, 403)
        assert process.get("/api/overview").status_code == (200 if user == "flower" else 401)
