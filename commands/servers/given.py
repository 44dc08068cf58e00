"""What the user has set, in the environment or in `.env`: read, checked, refused with a reason.

An address on this machine at which nobody answers is not refused: the kit starts its own server there, so that the
settings of a lesson (`REDIS_URL=redis://localhost:6379/0`) work with and without a server.
"""

import os
from pathlib import Path

from cars_bot import settings as cars_bot_settings
from cars_bot.boundary import urls
from cars_bot.boundary.setting_values import read_file
from cars_bot.settings import ADDRESSES, OWN_REDIS, SETTINGS, has_known_login
from commands.common.console import Problem
from commands.common.state import ROOT
from commands.servers import amqp, ports, redis_server

CLASSROOM_LOGIN = ("student", "qwerty")
SERVERS = ("RMQ_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")  # whose addresses the kit tries


def env_file() -> Path:
    """`.env` beside this project, or the file that `KIT_ENV_FILE` names instead."""
    return Path(os.environ.get("KIT_ENV_FILE") or ROOT / ".env")


def given() -> dict[str, str]:
    """The settings the user made: `.env`, overruled by the environment.

    Raises:
        NotConfigured: the file cannot be read.
    """
    file = read_file(env_file(), must_be_there=bool(os.environ.get("KIT_ENV_FILE")))
    both = file | {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    return {name: value for name, value in both.items() if name in SETTINGS and value}


def check(settings: dict[str, str]) -> dict[str, int]:
    """Refuse what cannot work, or must not, before anything is started.

    Returns:
        The ports at which the user expects a server that is not there, by name: ours shall be started there.

    Raises:
        Problem: names the setting and what would be right.
    """
    expected: dict[str, tuple[str, int]] = {}
    for name in (name for name in SERVERS if name in settings and settings[name] != OWN_REDIS):
        url = settings[name]
        try:
            ADDRESSES[name](url)
        except urls.Unreadable as error:
            raise Problem(f"{name} is no address the kit can use (so it is not shown): {error}") from None
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
    """Where our own server would have to listen to be what `url` means; None if it could not be.

    It could if the address is this machine's, with our login, and nobody listens there yet.
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
    """The address that a server of ours listens on so that clients find it at `host`."""
    return "127.0.0.1" if host == "localhost" else host


def refuse_known_login_elsewhere(name: str, url: str, private_hosts: list[str]) -> None:
    """student/qwerty is printed in every lesson: a server that others can reach must not know it."""
    if has_known_login(url, private_hosts):
        host = urls.in_url(urls.address(url).host)
        raise Problem(
            f"{name} uses a login that everybody knows on {host}, which is not this machine",
            f"give that broker a user of its own (rabbitmqctl add_user), then {name}=amqp://USER:PASSWORD@{host}/",
        )


def shown(url: str) -> str:
    """An address fit to be printed: the classroom login is no secret, every other password is."""
    try:
        at = urls.address(url)
    except urls.Unreadable:
        return cars_bot_settings.redact(url)
    return url if (at.user, at.password) == CLASSROOM_LOGIN else cars_bot_settings.redact(url)
