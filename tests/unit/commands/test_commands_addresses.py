"""Addresses of servers: where the kit looks for them, what it refuses, and how it avoids taken ports.

These tests need free ports, and they use 241xx. No kit prefers those ports. No server of another test listens there,
because those take free ports from 26000 on. So no other program is found on one.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from commands.common.console import Problem
from commands.common.state import RunDir
from commands.servers import addresses, ports, user_settings


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove all settings of the shell, the .env, and the ports that other kits have promised."""
    for name in user_settings.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").touch()
    monkeypatch.setenv("KIT_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))


def listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.listen()
    return server


def test_a_taken_port_is_stepped_around(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as taken:
        port = taken.getsockname()[1]
        monkeypatch.setitem(ports.PREFERRED, "api", port)
        assert ports.choose(["api"])["api"] > port


def test_a_port_promised_to_a_kit_that_is_starting_is_not_given_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ports.PREFERRED, "redis", 24110)
    first = ports.choose(["redis"])["redis"]
    second = ports.choose(["redis"])["redis"]
    assert second > first >= 24110


def test_the_promise_of_a_process_that_has_ended_is_void(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"kit-ports-{os.getuid()}.json").write_text(json.dumps({"24120": ended.pid}))
    monkeypatch.setitem(ports.PREFERRED, "redis", 24120)
    assert ports.choose(["redis"])["redis"] == 24120


def test_nor_does_a_zombie_keep_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ports.PREFERRED, "redis", 24125)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and remains a zombie
        ports.hand_over([24125], ended.pid)
        assert ports.choose(["redis"])["redis"] == 24125
    finally:
        ended.wait()


def test_who_listens_on_a_port_is_told_apart() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        assert ports.listener_is(port, os.getpid()) is True
        assert ports.listener_is(port, os.getppid()) is False
    assert ports.listener_is(port, os.getpid()) is None


def test_the_ports_of_a_kit_whose_broker_is_down_stay_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ports.PREFERRED, "rabbitmq", 24130)
    lives = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        ports.hand_over([24130], lives.pid)
        assert ports.choose(["rabbitmq"])["rabbitmq"] == 24131
    finally:
        lives.communicate()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_classroom_login_is_fine_on_this_machine(host: str) -> None:
    user_settings.refuse_known_login_elsewhere("RMQ_URL", f"amqp://student:qwerty@{host}:5672/", [])


@pytest.mark.parametrize("host", ["10.0.0.7", "rabbit.example.org", "192.168.1.1"])
def test_the_classroom_login_is_refused_anywhere_else(host: str) -> None:
    with pytest.raises(Problem, match="a login that everybody knows") as refusal:
        user_settings.refuse_known_login_elsewhere("RMQ_URL", f"amqp://student:qwerty@{host}:5672/", [])
    assert "rabbitmqctl add_user" in refusal.value.remedy


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("RMQ_URL", "http://127.0.0.1:5672/"),
        ("RMQ_URL", "redis://127.0.0.1:6379/0"),
        ("REDIS_URL", "amqp://127.0.0.1/"),
        ("CELERY_BROKER_URL", "sqs://"),
        ("CELERY_RESULT_BACKEND", "rpc://"),
    ],
)
def test_an_address_of_the_wrong_kind_is_refused_by_the_name_of_its_setting(name: str, url: str) -> None:
    with pytest.raises(Problem, match=name):
        user_settings.check({name: url})


@pytest.mark.parametrize(
    ("name", "scheme"), [("RMQ_URL", "amqp"), ("REDIS_URL", "redis"), ("CELERY_BROKER_URL", "redis")]
)
def test_a_given_server_that_does_not_answer_stops_the_start(name: str, scheme: str) -> None:
    with listening() as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Problem, match=name):
            user_settings.check({name: f"{scheme}://127.0.0.1:{port}/0"})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"REDIS_URL": "redis://localhost:24140/0", "CELERY_BROKER_URL": "redis://localhost:24140/0"},
            {"redis": 24140},
        ),
        ({"RMQ_URL": "amqp://student:qwerty@localhost:24141/"}, {"rabbitmq": 24141}),
        ({"CELERY_BROKER_URL": "amqp://student:qwerty@127.0.0.1:24141//"}, {"rabbitmq": 24141}),
    ],
)
def test_where_a_lesson_expects_a_server_and_there_is_none_the_kit_starts_its_own(
    settings: dict[str, str], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert user_settings.check(settings) == expected
    for name, url in settings.items():
        monkeypatch.setenv(name, url)
    plan = addresses.find(RunDir(tmp_path / "run"), private_only=True)
    assert {name: plan.ports[name] for name in expected} == expected
    assert {name: plan.values[name] for name in settings} == settings


@pytest.mark.parametrize("url", ["amqp://me:secret@localhost:24142/", "amqp://student:qwerty@localhost:24142/my_vhost"])
def test_a_server_we_could_not_stand_in_for_must_be_there(url: str) -> None:
    with pytest.raises(Problem, match="RMQ_URL"):
        user_settings.check({"RMQ_URL": url})


def test_two_settings_cannot_expect_our_one_server_at_two_places() -> None:
    with pytest.raises(Problem, match="CELERY_RESULT_BACKEND"):
        user_settings.check(
            {"REDIS_URL": "redis://127.0.0.1:24143/0", "CELERY_RESULT_BACKEND": "redis://127.0.0.1:24144/0"}
        )


def test_no_password_of_a_given_server_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Problem) as refusal:
        user_settings.check({"RMQ_URL": "amqp://me:hunter2@127.0.0.1:1/"})
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in user_settings.shown("postgresql://me:hunter2@db/cars")
    assert user_settings.shown("amqp://student:qwerty@127.0.0.1:5672/") == "amqp://student:qwerty@127.0.0.1:5672/"


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_MODEL=from-file\nSPREADSHEET_ID=from-file\n")
    monkeypatch.setenv("OPENAI_MODEL", "from-shell")
    assert user_settings.read_user_settings() == {"OPENAI_MODEL": "from-shell", "SPREADSHEET_ID": "from-file"}


def test_a_private_kit_has_everything_on_loopback(tmp_path: Path) -> None:
    plan = addresses.find(RunDir(tmp_path / "run"), private_only=True)
    assert {"rabbitmq", "redis", "outside_world"} <= set(plan.ports)
    urls = [value for name, value in plan.values.items() if name.endswith("_URL")]
    assert urls
    assert all("127.0.0.1" in url for url in urls)


def test_what_the_shell_alone_knew_is_written_down_for_later_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1/cars")
    plan = addresses.find(RunDir(tmp_path / "run"), private_only=True)
    assert plan.values["DATABASE_URL"] == "postgresql://me:secret@127.0.0.1/cars"
