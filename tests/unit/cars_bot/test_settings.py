"""Settings: the places that they come from, and the message for a wrong one."""

from pathlib import Path

import pytest

from cars_bot.errors import NotConfigured
from cars_bot.settings import read, redact


def test_the_environment_beats_dotenv_beats_what_up_wrote_down_beats_the_default(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RMQ_URL=amqp://u:p@dotenv/\nREDIS_URL=redis://dotenv/0\n")
    run_dir = tmp_path / ".run"
    run_dir.mkdir()
    (run_dir / "kit.env").write_text("RMQ_URL=amqp://u:p@up/\nREDIS_URL=redis://up/0\nOUTSIDE_WORLD_URL=http://up\n")

    found = read({"RMQ_URL": "amqp://u:p@environment/"}, root=tmp_path)

    assert found.rmq_url == "amqp://u:p@environment/"
    assert found.redis_url == "redis://dotenv/0"
    assert found.outside_world_url == "http://up"
    assert found.openai_model == "gpt-4o-mini"


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    assert read({"RMQ_URL": ""}, root=tmp_path).rmq_url == "amqp://student:qwerty@127.0.0.1:5672/"


def test_the_celery_lane_may_travel_through_the_kits_own_redis(tmp_path: Path) -> None:
    own = read({"CELERY_BROKER_URL": "redis://", "REDIS_URL": "redis://127.0.0.1:7000/2"}, root=tmp_path)
    other = read({"CELERY_BROKER_URL": "redis://there/1"}, root=tmp_path)

    assert (own.celery_broker_url, own.celery_over_redis) == ("redis://127.0.0.1:7000/2", True)
    assert other.celery_broker_url == "redis://there/1"
    assert read({}, root=tmp_path).celery_over_redis is False


def test_without_keys_the_clients_talk_to_the_stand_in_and_with_keys_to_the_real_thing(tmp_path: Path) -> None:
    without = read({"OUTSIDE_WORLD_URL": "http://127.0.0.1:9/"}, root=tmp_path)
    keys = {"OPENAI_API_KEY": "sk-1", "TELEGRAM_BOT_TOKEN": "1:x", "GOOGLE_SERVICE_ACCOUNT_FILE": "key.json"}
    with_keys = read(keys, root=tmp_path)

    assert (without.openai_base_url, without.telegram_base_url, without.sheets_base_url) == (
        "http://127.0.0.1:9/openai/v1",
        "http://127.0.0.1:9/telegram",
        "http://127.0.0.1:9/google",
    )
    assert (with_keys.openai_base_url, with_keys.telegram_base_url, with_keys.sheets_base_url) == (None, None, None)


def test_postgresql_is_spoken_to_through_psycopg(tmp_path: Path) -> None:
    for given in ("postgresql://u:p@h/d", "postgres://u:p@h/d"):
        assert read({"DATABASE_URL": given}, root=tmp_path).database_url == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize(
    ("wrong", "told"), [({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"), ({"JOBS_PER_CHILD": "many"}, "JOBS_PER_CHILD")]
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, wrong: dict[str, str], told: str) -> None:
    with pytest.raises(NotConfigured, match=told):
        read(wrong, root=tmp_path)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"RMQ_URL": "amqp://student:qwerty@broker.example:5672/"},
        {"RMQ_URL": "amqp://guest:guest@10.0.0.7/"},
        {"RMQ_URL": "amqp://10.0.0.7/"},  # pika and kombu both log in here as guest
        {"RMQ_URL": "amqp://worker:qwerty@rmq/"},
        {"CELERY_BROKER_URL": "amqps://student:qwerty@broker.example/"},
        {"DATABASE_URL": "postgresql://student:qwerty@db.example/carsbot"},
    ],
    ids=str,
)
def test_a_login_that_everybody_knows_is_refused_off_this_machine(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    (name,) = elsewhere
    with pytest.raises(NotConfigured, match=f"{name}=.*user of its own") as refusal:
        read(elsewhere, root=tmp_path)
    assert "qwerty" not in str(refusal.value)


@pytest.mark.parametrize(
    "fine",
    [
        {"RMQ_URL": "amqp://student:qwerty@127.0.0.1:5672/"},
        {"RMQ_URL": "amqp://student:qwerty@localhost/"},
        {"RMQ_URL": "amqp://carsbot:long-and-random@broker.example/"},
        {"RMQ_URL": "amqp://worker:qwerty@rmq:5672/", "PRIVATE_HOSTS": "rmq, postgres"},
        {"CELERY_BROKER_URL": "redis://cache.example/0"},
    ],
    ids=str,
)
def test_it_is_fine_on_this_machine_and_on_a_network_of_our_own(tmp_path: Path, fine: dict[str, str]) -> None:
    assert read(fine, root=tmp_path)


def test_a_password_does_not_get_into_a_log() -> None:
    assert redact("amqp://student:qwerty@localhost:5672/") == "amqp://student:***@localhost:5672/"
    assert redact("redis://localhost:6379/0") == "redis://localhost:6379/0"
