"""Addresses on real servers, on both lanes: TLS and its name, the options of a URL, IPv6, a socket, two brokers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pytest

from cars_bot.database import new_engine
from cars_bot.database.models import metadata
from cars_bot.settings import settings
from commands.servers import amqp, redis_server
from raw_consumer.setup.parameters import parameters
from tests.api.server import free_port, serving
from tests.api.server import redis_server as plain_redis
from tests.contract.certificates import Authority, with_tls
from tests.contract.raw_lane import Servers
from tests.kit import ROOT, running, until

pytestmark = pytest.mark.thorough

# A program for each client of the kit. It connects and prints CONNECTED, or it ends with an error.
CLIENTS = {
    "celery": """
from celery_app import celery_app
connection = celery_app.connection_for_write()
connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
""",
    "raw": """
import os
from raw_consumer.publisher import Publisher
from tests.kit import until
publisher = Publisher(os.environ["RMQ_URL"])
connection = publisher._connection
connection.start()
until(lambda: connection.opened.is_set() or connection._failures, 30, "the broker's answer")
assert connection.opened.is_set()
""",
    "the API": """
from api.publishing import queues
assert queues.waiting("raw") is not None
""",
    "the ledger": """
from cars_bot import ledger
ledger.connect().ping()
""",
    "celery's results": """
from celery_app import celery_app
celery_app.backend.client.ping()
""",
    "celery over redis": """
import os
os.environ["CELERY_BROKER_URL"] = os.environ["REDIS_URL"]
from celery_app import celery_app
with celery_app.connection_for_write() as connection:
    connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
    connection.default_channel.client.ping()
""",
}


def connects(client: str, folder: Path, **environment: str) -> bool:
    """Return whether a client of the kit connects with these settings, in its own process."""
    environment |= {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "KIT_RUN_DIR": str(folder)}
    code = CLIENTS[client] + "print('CONNECTED')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip().endswith("CONNECTED")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signs the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of the kit to which all these clients belong.

    It holds the kit's name, and the broker knows that name.
    """
    url = f"sqlite:///{tmp_path_factory.mktemp('addresses') / 'kit.sqlite3'}"
    metadata.create_all(new_engine(url))
    return url


@pytest.fixture(scope="module", params=["localhost", "another.example"])
def over_tls(
    request: pytest.FixtureRequest, servers: Servers, authority: Authority, database_url: str
) -> Iterator[dict[str, str]]:
    """Settings for the servers behind TLS, under the name localhost. Their certificate may have another name."""
    rmq, redis = (urlsplit(servers.addresses[name]) for name in ("RMQ_URL", "REDIS_URL"))
    certified = authority.certified(request.param)
    with (
        with_tls(("127.0.0.1", rmq.port or 0), certified) as broker,
        with_tls(("127.0.0.1", redis.port or 0), certified) as cache,
    ):
        yield {
            "RMQ_URL": f"amqps://{rmq.username}:{rmq.password}@localhost:{broker}/",
            "REDIS_URL": f"rediss://localhost:{cache}/7",
            "DATABASE_URL": database_url,
            "TLS_CA_FILE": str(authority.certificate),
            "NAME": request.param,
        }


@pytest.mark.parametrize("client", CLIENTS)
def test_a_certificate_must_have_the_name_that_was_asked_for(
    client: str, over_tls: dict[str, str], tmp_path: Path
) -> None:
    assert connects(client, tmp_path, **over_tls) == (over_tls["NAME"] == "localhost")


@pytest.mark.parametrize("over_tls", ["localhost"], indirect=True)
@pytest.mark.parametrize("client", CLIENTS)
def test_and_must_be_signed_by_somebody_we_trust(client: str, over_tls: dict[str, str], tmp_path: Path) -> None:
    assert not connects(client, tmp_path, **{**over_tls, "TLS_CA_FILE": ""})


def test_the_commands_say_what_is_wrong_with_a_certificate(
    over_tls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TLS_CA_FILE", over_tls["TLS_CA_FILE"])
    settings.cache_clear()
    try:
        why = [amqp.why_not(over_tls["RMQ_URL"]), redis_server.why_not(over_tls["REDIS_URL"])]
    finally:
        settings.cache_clear()
    if over_tls["NAME"] == "localhost":
        assert why == [None, None]
    else:
        assert all("Hostname mismatch" in str(each) for each in why), why


@pytest.mark.parametrize(("asked", "agreed"), [(7, "7"), (600, "60")])  # 60 is the broker's own wish
def test_both_lanes_agree_with_the_broker_on_what_a_url_asks_for(
    asked: int, agreed: str, servers: Servers, database_url: str, tmp_path: Path
) -> None:
    url = f"{servers.addresses['RMQ_URL']}?heartbeat={asked}&blocked_connection_timeout=300"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "KIT_RUN_DIR": str(tmp_path)}
    environment |= {"RMQ_URL": url, "DATABASE_URL": database_url}
    tool = servers.run_dir / "bin" / "rabbitmqctl"

    def heartbeats() -> list[str]:
        listed = subprocess.run([tool, "-q", "list_connections", "timeout"], capture_output=True, text=True, check=True)
        return [line for line in listed.stdout.splitlines() if line.isdecimal() and line != "0"]

    for worker in (["celery", "-A", "celery_app", "worker", "--pool=solo"], ["raw_consumer", "worker"]):
        until(lambda: heartbeats() == [], 20, "nobody is connected")
        with (tmp_path / "log").open("w") as log:
            command = [sys.executable, "-m", *worker]
            with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as process:
                try:
                    until(lambda: agreed in heartbeats(), 30, f"{worker[0]} has agreed on {agreed} s")
                    assert set(heartbeats()) == {agreed}
                finally:
                    process.terminate()


@pytest.mark.parametrize("client", ["the ledger", "celery's results", "celery over redis"])
def test_redis_may_be_reached_through_a_socket_and_a_password(client: str, tmp_path: Path) -> None:
    program, environment = redis_server.binaries()
    path = tmp_path / "r d.sock"
    words = [program, "--port", "0", "--unixsocket", path, "--requirepass", "p#w", "--save", "", "--dir", tmp_path]
    with subprocess.Popen(list(map(str, words)), env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            until(path.exists, 10, "Redis has its socket")
            url = f"unix://:p%23w@{str(path).replace(' ', '%20')}?db=3"
            assert connects(client, tmp_path, REDIS_URL=url)
            assert not connects(client, tmp_path, REDIS_URL=url.replace("p%23w", "wrong"))
        finally:
            process.kill()


def test_servers_of_our_own_listen_where_the_urls_say(tmp_path: Path) -> None:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("NOT TRIED: this machine has no IPv6")
    rmq, redis = free_port(), free_port()
    urls = {"RMQ_URL": f"amqp://student:qwerty@[::1]:{rmq}/?heartbeat=60", "REDIS_URL": f"redis://[::1]:{redis}/3"}
    with running(tmp_path, "rabbitmq", "redis", **urls) as kit:
        assert {name: kit.status()["urls"][name] for name in ("rmq", "redis")} == {
            "rmq": urls["RMQ_URL"],
            "redis": urls["REDIS_URL"],
        }
        assert amqp.why_not(urls["RMQ_URL"]) is None
        assert redis_server.why_not(urls["REDIS_URL"]) is None


@pytest.fixture
def two_brokers(servers: Servers) -> Iterator[dict[str, str]]:
    """A virtual host for each lane, in place of two brokers."""
    urls = {}
    for name, host in (("RMQ_URL", "by-hand"), ("CELERY_BROKER_URL", "celerys")):
        servers.rabbitmqctl("add_vhost", host)
        servers.rabbitmqctl("set_permissions", "-p", host, "student", ".*", ".*", ".*")
        urls[name] = urlsplit(servers.addresses["RMQ_URL"])._replace(path=f"/{host}").geturl()
    yield urls
    for host in ("by-hand", "celerys"):
        servers.rabbitmqctl("delete_vhost", host)


def fill(url: str, queue: str, count: int) -> None:
    """Declare a queue and put messages into it."""
    with pika.BlockingConnection(parameters(url, "test")) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        for _ in range(count):
            channel.basic_publish("", queue, b"{}")


def test_each_lane_is_asked_about_on_its_own_broker(two_brokers: dict[str, str], tmp_path: Path) -> None:
    mine, theirs = two_brokers["RMQ_URL"], two_brokers["CELERY_BROKER_URL"]
    fill(theirs, "sheets_sync", 3)
    fill(theirs, "celery.dead", 1)
    fill(mine, "sheets_sync", 7)  # another program's queue of that name, or an old one of Celery's
    fill(mine, "raw.sheets_sync", 2)

    with plain_redis(tmp_path) as redis, serving(tmp_path, redis, **two_brokers) as api:
        seen = until(lambda: depths(api.http.get("/api/queues").json()), 15, "the depths are known")
        assert (seen["celery"], seen["raw"]) == (3, 2)
        assert api.http.get("/api/dead-letters?lane=celery").json()["totals"] == {"celery": 1}
        assert api.http.get("/readyz").json()["celery_broker"] is True
        command = [sys.executable, "-m", "commands", "purge", "--yes", "sheets_sync"]
        environment = {**api.environment, "KIT_URL": api.url}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)

    assert amqp.messages(theirs, ["sheets_sync"]) == {"sheets_sync": 0}
    assert amqp.messages(mine, ["raw.sheets_sync", "sheets_sync"]) == {"raw.sheets_sync": 0, "sheets_sync": 7}


def depths(answer: dict[str, dict[str, dict[str, int | None]]]) -> dict[str, int | None]:
    """Return how many messages wait in each lane's queue for the sheets."""
    return {lane: queues["sheets_sync"] for lane, queues in answer.items()}
