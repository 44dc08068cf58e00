"""What is deployed: each kind of process logs in at the broker as a user of its own, and none as the person."""

import json
from urllib.parse import urlsplit

import pytest
import yaml

from cars_bot.settings import read
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


def test_every_published_port_is_on_loopback() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
