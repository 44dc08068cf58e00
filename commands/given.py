"""What the user has set, in the environment or in `.env`: read, checked, refused with a reason.

An address on this machine at which nobody answers is not refused: the kit starts its own server there, so that the
settings of a lesson (`REDIS_URL=redis://localhost:6379/0`) work with and without a server.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from cars_bot.settings import LOOPBACK, OWN_REDIS, has_known_login, redact
from commands import amqp, ports, redis_server
from commands.console import Problem
from commands.state import ROOT

CLASSROOM_LOGIN = ("student", "qwerty")
NO_LOGIN = (None, None)
# What a user may set; whatever the environment holds of it is handed on to every process.
SETTINGS = (
    "DATABASE_URL", "RMQ_URL", "CELERY_BROKER_URL", "REDIS_URL", "CELERY_RESULT_BACKEND", "API_URL",
    "OUTSIDE_WORLD_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BASE_URL", "TELEGRAM_CHANNEL", "GOOGLE_SERVICE_ACCOUNT_FILE", "SHEETS_BASE_URL", "SPREADSHEET_ID",
    "KIT_SECRET", "EXTRA_JOBS", "JOBS_PER_CHILD", "CLIENT_DEADLINE", "ALLOWED_HOSTS", "PRIVATE_HOSTS",
)  # fmt: skip
# Addresses of servers, and what may stand before their ://
SERVERS = {
    "RMQ_URL": ("amqp", "amqps"),
    "REDIS_URL": ("redis", "rediss"),
    "CELERY_BROKER_URL": ("amqp", "amqps", "redis", "rediss"),
    "CELERY_RESULT_BACKEND": ("redis", "rediss"),
}


def env_file() -> Path:
    """`.env` beside this project, or the file that `KIT_ENV_FILE` names instead."""
    return Path(os.environ.get("KIT_ENV_FILE") or ROOT / ".env")


def given() -> dict[str, str]:
    """The settings the user made: `.env`, overruled by the environment."""
    both = dotenv_values(env_file()) | {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    return {name: value for name, value in both.items() if name in SETTINGS and value}


def check(settings: dict[str, str]) -> dict[str, int]:
    """Refuse what cannot work, or must not, before anything is started.

    Returns:
        The ports at which the user expects a server that is not there, by name: ours shall be started there.

    Raises:
        Problem: names the setting and what would be right.
    """
    expected: dict[str, int] = {}
    for name in (name for name in SERVERS if name in settings and settings[name] != OWN_REDIS):
        url = settings[name]
        scheme = urlsplit(url).scheme
        if scheme not in SERVERS[name]:
            right = " or ".join(f"{scheme}://…" for scheme in SERVERS[name])
            raise Problem(f"{name}={redact(url)} is not an address the kit can use", f"give {right}")
        refuse_known_login_elsewhere(name, url, settings.get("PRIVATE_HOSTS", "").split(","))
        program, server = ("rabbitmq", amqp) if scheme.startswith("amqp") else ("redis", redis_server)
        if (port := place_for_our_own(url)) and expected.setdefault(program, port) == port:
            continue
        if why := server.why_not(url):
            raise Problem(
                f"{name}={redact(url)} was given, but {why}",
                f"start that server, or unset {name} so that the kit starts one of its own",
            )
    return expected


def place_for_our_own(url: str) -> int | None:
    """The port of `url` if a private server of the kit could be what it means: this machine, our login, port free."""
    parts = urlsplit(url)
    login, program, path = {
        "amqp": (CLASSROOM_LOGIN, "rabbitmq", parts.path.strip("/").lower() in ("", "%2f")),
        "redis": (NO_LOGIN, "redis", True),
    }.get(parts.scheme, (None, "", False))
    if parts.hostname not in LOOPBACK or (parts.username, parts.password) != login or not path:
        return None
    port = parts.port or ports.PREFERRED[program]
    return port if ports.is_free(port) else None


def refuse_known_login_elsewhere(name: str, url: str, private_hosts: list[str]) -> None:
    """student/qwerty is printed in every lesson: a server that others can reach must not know it."""
    parts = urlsplit(url)
    if has_known_login(url, private_hosts):
        raise Problem(
            f"{name} uses a login that everybody knows on {parts.hostname}, which is not this machine",
            f"give that broker a user of its own (rabbitmqctl add_user), then {name}=amqp://USER:PASSWORD@{parts.hostname}/",
        )


def shown(url: str) -> str:
    """An address fit to be printed: the classroom login is no secret, every other password is."""
    parts = urlsplit(url)
    return url if (parts.username, parts.password) == CLASSROOM_LOGIN else redact(url)
