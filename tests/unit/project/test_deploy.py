"""The deployment: each kind of process logs in at the broker as its own user, and none as the person."""

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from cars_bot.settings import read
from celery_parts.broker import LONGEST_JOB
from commands.common.state import RunDir
from commands.servers.processes import kit_programs
from tests.kit import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DEFINITIONS = json.loads((ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text(encoding="utf-8"))
USERS = {user["name"]: user for user in DEFINITIONS["users"]}
AS = {"api": "api", "celery_worker": "celery_worker", "celery_beat": "celery_worker", "consumer": "consumer",
      "scheduler": "consumer", "flower": "flower"}  # fmt: skip


@pytest.mark.parametrize("service", AS)
def test_a_container_logs_in_as_its_own_user_and_its_settings_are_accepted(service: str) -> None:
    environment = COMPOSE["services"][service]["environment"]
    login = urlsplit(environment["RMQ_URL"])

    assert (login.username, login.password) == (AS[service], USERS[AS[service]]["password"])
    without_defaults = {name: value for name, value in environment.items() if "${" not in str(value)}
    assert read(without_defaults, root=ROOT / "nowhere").rmq_url == environment["RMQ_URL"]


def test_nobody_is_an_administrator_because_everybody_knows_the_logins() -> None:
    assert [name for name, user in USERS.items() if "administrator" in user["tags"]] == []
    allowed = {permission["user"]: permission for permission in DEFINITIONS["permissions"]}
    assert set(allowed) == set(USERS)
    for name, permission in allowed.items():
        patterns = [permission[what] for what in ("configure", "write", "read")]
        assert all(p == ".*" if name == "student" else p.startswith("^") and p.endswith("$") for p in patterns), name


def test_an_image_holds_all_that_its_programs_import(tmp_path: Path) -> None:
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        inside, outside = tmp_path / line[1:], ROOT / line[1:]
        if line.startswith("!"):
            inside.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if outside.is_dir() else shutil.copy)(outside, inside)
    celery = "celery_app, celery_tasks, celery_parts.consumer, celery_parts.read_ahead"
    programs = f"{celery}, api.app, raw_consumer.__main__, outside_world.__main__"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = f"import {programs}, commands.__main__, commands.demo"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)


def test_every_published_port_is_on_loopback() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_both_lanes_have_the_same_time_to_finish_their_jobs() -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "deploy" / "supervisor" / "carsbot.conf", encoding="utf-8")
    celery, raw = (parser[f"program:carsbot-{name}"] for name in ("celery-worker", "consumer"))

    assert celery["stopwaitsecs"] == raw["stopwaitsecs"]
    words = raw["command"].split()
    own = float(words[words.index("--stop-seconds") + 1])
    assert LONGEST_JOB < own < float(raw["stopwaitsecs"]), "the worker ends its jobs before supervisor ends the worker"


def test_the_kits_own_workers_too(tmp_path: Path) -> None:
    programs = {each.name: each for each in kit_programs(RunDir(tmp_path), dict.fromkeys(("api", "flower"), 1))}
    celery, raw = programs["celery_worker"], programs["consumer"]

    assert celery.stop_seconds == raw.stop_seconds
    assert LONGEST_JOB < float(raw.command[raw.command.index("--stop-seconds") + 1]) < raw.stop_seconds
