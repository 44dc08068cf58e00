"""One reading of every address: which are understood, which are refused, and no password in any message about them."""

from pathlib import Path
from typing import Any

import pika
import pytest
from kombu import Connection
from sqlalchemy import create_engine

from cars_bot.boundary import database_url, for_celery, urls
from cars_bot.errors import NotConfigured
from cars_bot.settings import read, redact
from raw_consumer.setup.parameters import parameters

SECRET = "geheim"


def celery(tmp_path: Path, **given: str) -> dict[str, Any]:
    """Celery's connection settings, made from these settings."""
    return for_celery.connection(read(given, root=tmp_path))


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("amqp://u:p@h", ("h", 5672, "u", "p", "/")),
        ("amqp://u:p@h/", ("h", 5672, "u", "p", "/")),
        ("amqp://u:p@h//", ("h", 5672, "u", "p", "/")),
        ("amqp://u:p@h/%2F", ("h", 5672, "u", "p", "/")),
        ("amqp://localhost/%2Fcars%20bot", ("localhost", 5672, "guest", "guest", "/cars bot")),
        ("amqp://u%40x:p%23%2F%3F%25%3A%3B@[::1]:1/v", ("::1", 1, "u@x", "p#/?%:;", "v")),
        ("amqp://u:p;q@h:7/v?heartbeat=600", ("h", 7, "u", "p;q", "v")),
        ("AMQP://u:p@H:7", ("h", 7, "u", "p", "/")),
        ("amqps://u:%D0%B6@h", ("h", 5671, "u", "ж", "/")),
    ],
)
def test_both_lanes_understand_the_same_by_a_brokers_address(
    url: str, right: tuple[str, int, str, str, str], tmp_path: Path
) -> None:
    by_hand = parameters(url, "test")
    login = by_hand.credentials
    assert (by_hand.host, by_hand.port, login.username, login.password, by_hand.virtual_host) == right

    with Connection(celery(tmp_path, RMQ_URL=url)["broker_url"]) as theirs:
        assert (theirs.hostname, theirs.port, theirs.userid, theirs.password, theirs.virtual_host) == right


def test_both_lanes_obey_what_stands_after_the_question_mark(tmp_path: Path) -> None:
    asked = "heartbeat=600&blocked_connection_timeout=300&socket_timeout=7"
    url = f"amqp://u:p@h/?{asked}"
    by_hand = parameters(url, "test")

    said = {name: getattr(by_hand, name) for name in urls.BROKER_OPTIONS} | {"heartbeat": by_hand.heartbeat(None, 0)}
    assert said == for_celery.broker_options(read({"RMQ_URL": url}, root=tmp_path))
    assert "?" not in celery(tmp_path, RMQ_URL=url)["broker_url"], "Celery takes each for an argument of a function"


@pytest.mark.parametrize("scheme", ["amqps", "rediss"])
def test_both_lanes_check_the_name_on_a_certificate(scheme: str, tmp_path: Path) -> None:
    if scheme == "amqps":
        tls = parameters("amqps://u:p@h.example/", "test").ssl_options
        assert (tls.server_hostname, tls.context.check_hostname) == ("h.example", True)
        assert celery(tmp_path, RMQ_URL="amqps://u:p@h.example/")["broker_use_ssl"]["server_hostname"] == "h.example"
    else:
        told = celery(tmp_path, CELERY_BROKER_URL="rediss://h/1", CELERY_RESULT_BACKEND="rediss://h/2")
        for name in ("broker_use_ssl", "redis_backend_use_ssl"):
            assert told[name]["ssl_check_hostname"] is True
            assert told[name]["ssl_cert_reqs"].name == "CERT_REQUIRED"


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("redis://h", ("h", 6379, "", "", 0, "")),
        ("redis://:p%23@h:1/3", ("h", 1, "", "p#", 3, "")),
        ("rediss://u:p@[::1]/2?ssl_cert_reqs=CERT_REQUIRED", ("::1", 6379, "u", "p", 2, "")),
        ("redis://h?db=4", ("h", 6379, "", "", 4, "")),
        ("unix:///run/a%20b.sock?db=5", ("", 0, "", "", 5, "/run/a b.sock")),
        ("redis+socket://:p@/run/r.sock?virtual_host=6", ("", 0, "", "p", 6, "/run/r.sock")),
    ],
)
def test_the_address_of_a_redis(url: str, right: tuple[Any, ...]) -> None:
    at = urls.redis(url)
    assert (at.host, at.port, at.user, at.password, at.database, at.socket) == right


@pytest.mark.parametrize(
    ("name", "url"),
    [
        *(("RMQ_URL", f"amqp://u:{SECRET}@{rest}") for rest in (
            "h:99999/", "h:port/", "h:0/", "[::1", "[::g]/", "a,b/", "a:1;amqp://u:p@b:2/", "h/a/b", "h/?foo=1", "h /",
            "h/?heartbeat=soon", "h/?heartbeat=-1", "h/?heartbeat=99999999999999999999", "h/?connection_attempts=3",
            "h/?frame_max=8192",
            "h/?ssl_options=%7B%7D", "h/#part", "h/%ff", "h\n/", "h_/", "%zz/",
        )),
        *(("RMQ_URL", url) for url in (
            f"amqp://u:1{SECRET}/2@h/", f"amqp://u:12/{SECRET}@h/", f"amqp://u:12?{SECRET}=1@h/", f"amqp://u:#{SECRET}@h",
            f"amqp://u:12?{SECRET}@h/", f"amqp://{SECRET}@h/", f"amqp://:{SECRET}@h/", f"http://u:{SECRET}@h/", SECRET,
        )),
        *(("REDIS_URL", url) for url in (
            f"redis://:{SECRET}@h/99", f"redis://:pa#{SECRET}@h", f"redis://:[{SECRET}@h", f"redis://:{SECRET}@h/zero",
            f"redis://:{SECRET}@h/0?socket_timeout=1", f"redis://:{SECRET}@h/-1", f"redis://1/{SECRET}@h",
            f"unix://:{SECRET}@run/r.sock", f"unix://{SECRET}", f"rediss://:{SECRET}@h/0?ssl_cert_reqs=none",
            f"sentinel://:{SECRET}@h/0", f"redis://{SECRET}@h/0",
        )),
        *(("DATABASE_URL", url) for url in (
            "sqlite://", "sqlite:///:memory:", "sqlite:///", "sqlite:///kit.db", "sqlite:///file:x?mode=memory&uri=true",
            f"mysql://u:{SECRET}@h/d", f"postgresql://u:{SECRET}@h:99999/d", f"postgresql://u:{SECRET}@h:port/d",
            f"postgresql://u:{SECRET}@h/d?foo=1", f"postgresql://u:{SECRET}@a,b/d", f"postgresql://u:{SECRET}@[::1/d",
            f"postgresql://u:{SECRET}@h/d\n", f"postgresql:/u:{SECRET}@h",
        )),
        ("CELERY_BROKER_URL", f"sqs://{SECRET}"),
        ("CELERY_BROKER_URL", f"amqp://a:{SECRET}@h//;amqp://b"),
        ("CELERY_RESULT_BACKEND", "rpc://"),
        ("OUTSIDE_WORLD_URL", "http://127.0.0.1:99999"),
        ("API_URL", f"ftp://u:{SECRET}@h/"),
        ("OPENAI_BASE_URL", "http://[::1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_the_name_of_its_setting_and_not_printed(
    name: str, url: str, tmp_path: Path
) -> None:
    with pytest.raises(NotConfigured, match=rf"^{name} ") as refusal:
        read({name: url}, root=tmp_path)

    assert SECRET not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None, "a traceback would print the cause"
    assert SECRET not in redact(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"amqps://u%40x:{SECRET}@h/v?heartbeat=9", "amqps://u%40x:***@h:5671/v"),
        (f"redis://:{SECRET}@[::1]:1/2", "redis://:***@[::1]:1/2"),
        (f"unix://:{SECRET}@/run/r.sock?db=2", "unix://:***@/run/r.sock?db=2"),
        (f"postgresql://bot:se#{SECRET}@h/d", "postgresql://bot:***@h/d"),
        (f"postgresql://bot:{SECRET}@h:1/d?password={SECRET}&sslmode=require", "postgresql://bot:***@h:1/d"),
        (f"postgresql://bot@/d?host=/run/pg&password={SECRET}", "postgresql://bot@/d"),
        (f"http://u:{SECRET}@h:8/path?key={SECRET}", "http://h:8/path"),
        (f"nothing at all {SECRET}", urls.NOT_SHOWN),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize(
    "settings",
    [
        {"RMQ_URL": f"amqp://u:{SECRET}%40@h/"},
        {"CELERY_BROKER_URL": f"rediss://u:{SECRET}%40@h/1"},
        {"CELERY_BROKER_URL": f"unix://:{SECRET}@/run/r.sock?db=2"},
    ],
)
def test_nor_does_celery_print_it(settings: dict[str, str], tmp_path: Path) -> None:
    with Connection(celery(tmp_path, **settings)["broker_url"]) as theirs:
        assert SECRET in str(theirs.info()) or theirs.transport_cls == "redis"
        assert SECRET not in theirs.as_uri()


def test_a_password_with_a_hash_is_the_databases_own_and_stays_whole(tmp_path: Path) -> None:
    url = read({"DATABASE_URL": "postgres://bot:se#cret@h:5/d?host=/run/pg"}, root=tmp_path).database_url
    _, arguments = create_engine(url).dialect.create_connect_args(create_engine(url).url)

    assert (arguments["password"], arguments["host"]) == ("se#cret", "/run/pg")


@pytest.mark.parametrize("name", ["odd ?name=1", "100%20", "a#b", "Рабочий стол"])
def test_the_database_is_in_the_run_directory_whatever_that_is_called(name: str, tmp_path: Path) -> None:
    url = read({"KIT_RUN_DIR": str(tmp_path / name)}, root=tmp_path).database_url

    assert database_url.read(url).database == str(tmp_path / name / "kit.sqlite3")
    with create_engine(url).connect() if (tmp_path / name).mkdir() is None else pytest.fail() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    assert (tmp_path / name / "kit.sqlite3").exists()


def test_pika_is_told_nothing_that_waits_for_ever() -> None:
    chosen: pika.ConnectionParameters = parameters("amqp://u:p@h/", "test")
    bounds = (
        chosen.heartbeat(None, 60),
        chosen.socket_timeout,
        chosen.stack_timeout,
        chosen.blocked_connection_timeout,
    )
    assert bounds == (20, 5, 10, 10)
