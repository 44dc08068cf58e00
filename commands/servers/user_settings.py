"""Settings that the user gave, in the environment or in `.env`. This module reads, checks and refuses them.

An address on this machine may have no server yet. The kit then starts its own server there. So the settings of a lesson
(`REDIS_URL=redis://localhost:6379/0`) work with and without a server.
"""

import os
from pathlib import Path

from cars_bot import settings as cars_bot_settings
from cars_bot.boundary import urls
from cars_bot.boundary.setting_values import read_file
from cars_bot.boundary.url_parts import Unreadable
from cars_bot.settings import ADDRESSES, OWN_REDIS, SETTINGS, has_known_login
from commands.common.console import Problem
from commands.common.state import ROOT
from commands.servers import amqp, ports, redis_server

CLASSROOM_LOGIN = ("student", "qwerty")
SERVERS = ("RMQ_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")  # the kit tries these addresses


def env_file() -> Path:
    """Return the path of `.env` in this project, or of the file that `KIT_ENV_FILE` names instead."""
    return Path(os.environ.get("KIT_ENV_FILE") or ROOT / ".env")


def read_user_settings() -> dict[str, str]:
    """Return the user's settings. The environment overrides `.env`.

    Raises:
        NotConfigured: the file cannot be read.
    """
    file = read_file(env_file(), must_be_there=bool(os.environ.get("KIT_ENV_FILE")))
    both = file | {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    return {name: value for name, value in both.items() if name in SETTINGS and value}


def check(settings: dict[str, str]) -> dict[str, int]:
    """Refuse settings that cannot work, or must not, before anything is started.

    Returns:
        The ports, by program, at which the user expects a server that is not there. Our own server must start there.

    Raises:
        Problem: a setting is wrong. The message names the setting, the reason and the remedy.
    """
    expected: dict[str, tuple[str, int]] = {}
    for name in (name for name in SERVERS if name in settings and settings[name] != OWN_REDIS):
        url = settings[name]
        try:
            ADDRESSES[name](url)
        except Unreadable as error:
            raise Problem(
                f"the address in {name} cannot be used: {error} (the address is not shown, it may hold a password)",
                f"correct {name} in .env or in the shell, or unset it",
            ) from None
        refuse_known_login_elsewhere(name, url, settings.get("PRIVATE_HOSTS", "").split(","))
        program, server = ("redis", redis_server) if urls.is_redis(url) else ("rabbitmq", amqp)
        if (place := place_for_our_own(url)) and expected.setdefault(program, place) == place:
            continue
        if why := server.why_not(url):
            raise Problem(
                f"{name}={shown(url)} was given, but {why}",
                f"start that server, or unset {name} so that the kit starts one of its own",
            )
    return {program: port for program, (_, port) in expected.items()}


def place_for_our_own(url: str) -> tuple[str, int] | None:
    """Return the host and port at which our own server can be the server of `url`, or None if it cannot.

    It can if the address is on this machine, has our login, and nobody listens there yet.
    """
    at = urls.address(url)
    ours = at.host in urls.LOOPBACK and not at.tls
    if isinstance(at, urls.Broker):
        ours = ours and (at.user, at.password, at.virtual_host) == (*CLASSROOM_LOGIN, "/")
    else:
        ours = ours and not at.password
    host = own_host(at.host)
    return (host, at.port) if ours and ports.is_free(at.port, host) else None


def own_host(host: str) -> str:
    """Return the address that our own server must listen on, so that clients find it at `host`."""
    return "127.0.0.1" if host == "localhost" else host


def refuse_known_login_elsewhere(name: str, url: str, private_hosts: list[str]) -> None:
    """Refuse the login student/qwerty for a server that others can reach: every lesson prints this login.

    Raises:
        Problem: `url` has this login and is not on this machine.
    """
    if has_known_login(url, private_hosts):
        host = urls.in_url(urls.address(url).host)
        raise Problem(
            f"{name} uses a login that everybody knows on {host}, which is not this machine",
            f"give that broker a user of its own (rabbitmqctl add_user), then {name}=amqp://USER:PASSWORD@{host}/",
        )


def shown(url: str) -> str:
    """Return an address that may be printed. Every password is hidden except that of the classroom login."""
    try:
        at = urls.address(url)
    except Unreadable:
        return cars_bot_settings.redact(url)
    return url if (at.user, at.password) == CLASSROOM_LOGIN else cars_bot_settings.redact(url)
