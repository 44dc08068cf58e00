"""Checks of the machine: packages, settings, servers, disk, leftovers, ports, database and clock.

Most of them are useful before the kit is up. Each check is one function that yields its faults.
"""

import difflib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cars_bot.errors import NotConfigured
from cars_bot.settings import SETTINGS, redact
from cars_bot.settings import settings as current
from commands.common import bootstrap, debian
from commands.common.console import Problem
from commands.common.state import RunDir, living
from commands.diagnosis.fault import Fault
from commands.servers import leftovers as remains
from commands.servers import ports, rabbitmq, redis_server, user_settings
from commands.servers.supervisor import Supervisor

LEAST_DISK = 500 * 1024 * 1024  # bytes; RabbitMQ itself stops accepting messages at 100 MB


def packages(run: RunDir) -> Iterator[Fault]:
    """Check the packages. `./kit` updates them at each start, so only a start without `./kit` can find old ones."""
    if Path(sys.prefix) != bootstrap.VENV:
        yield Fault(f"this Python is {sys.prefix}, not the kit's .venv", "", note=True)
    elif not bootstrap.is_ready("requirements.txt"):
        yield Fault(
            "the packages in .venv are not those of requirements.txt", "./kit status   (any command installs them)"
        )


def env_file(run: RunDir) -> Iterator[Fault]:
    """Check that each line of `.env` sets a setting of the kit."""
    path = user_settings.env_file()
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        name, equals, _ = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            # Without the line itself: it may hold a password.
            yield Fault(f".env line {number} is not of the form NAME=value", f"sed -i {number}d .env")
        elif name.strip() not in SETTINGS and name.strip() != "KIT_RUN_DIR":
            near = difflib.get_close_matches(name.strip(), SETTINGS, 1)
            hint = f"sed -i 's/^{name}=/{near[0]}=/' .env" if near else ".env.example lists the names"
            yield Fault(f".env line {number}: the kit has no setting {name!r}", hint)


def settings(run: RunDir) -> Iterator[Fault]:
    """Check that the user's settings are usable and that the servers in them answer."""
    try:
        current()
        user_settings.check(user_settings.read_user_settings())
    except NotConfigured as wrong:
        yield Fault(str(wrong), "correct it in .env or in the shell, or unset it")
        return
    except Problem as problem:
        yield Fault(problem.what, problem.remedy)
    key_file = user_settings.read_user_settings().get("GOOGLE_SERVICE_ACCOUNT_FILE")
    if key_file:
        yield from google_key(key_file)


def google_key(path: str) -> Iterator[Fault]:
    """Check the key file. This only reads the file; it asks no server."""
    from cars_bot.clients.google_http import read_key
    from cars_bot.errors import Permanent

    try:
        read_key(path)
    except Permanent as error:
        what, _, remedy = str(error).partition("; ")
        yield Fault(what, remedy)


def servers(run: RunDir) -> Iterator[Fault]:
    """Check that RabbitMQ and Redis are there or can be installed."""
    settings = user_settings.read_user_settings()
    for setting, name, server in (("RMQ_URL", "RabbitMQ", rabbitmq), ("REDIS_URL", "Redis", redis_server)):
        if setting in settings or server.installed() or server.unpacked():
            continue
        package = f"{name.lower()}-server"
        if debian.is_debian():
            yield Fault(f"{name} is not installed; ./kit up will download it", f"apt-get install {package}", note=True)
        else:
            yield Fault(f"{name} is not installed", f"install {package}, or set {setting}, or: docker compose up")


def disk(run: RunDir) -> Iterator[Fault]:
    """Check that the run directory can be used and that its disk has room."""
    try:
        run.create()
    except Problem as problem:
        yield Fault(problem.what, problem.remedy)
        return
    free = shutil.disk_usage(run.path).free
    if free < LEAST_DISK:
        yield Fault(
            f"only {free // 2**20} MB are free under {run.path}", f"du -sh {run.path}/*   shows which files are large"
        )


def leftovers(run: RunDir) -> Iterator[Fault]:
    """Find processes and files of this kit that a killed supervisord left behind."""
    if Supervisor(run).is_up():
        return
    if pids := living(run):
        yield Fault(f"supervisord is gone, but its processes still run: {', '.join(map(str, pids))}", "./kit down")
    for path in (run.socket, run.supervisor_pid):
        if path.exists():
            yield Fault(f"a kit that was killed has left {path} behind", "./kit down")


def experiments(run: RunDir) -> Iterator[Fault]:
    """Find servers of a lab's check, an antipattern or the tests whose owner is gone."""
    for mark, pids in remains.left().items():
        folder = remains.folder_of(mark)
        whose = f"an experiment in {folder}" if folder else "tests"
        mend = f"kill -9 {' '.join(map(str, pids))}" + (f"; rm -r {folder}" if folder else "")
        yield Fault(f"{len(pids)} processes of {whose} still run, but the program that started them is gone", mend)


def taken_ports(run: RunDir) -> Iterator[Fault]:
    """Note the preferred ports that other programs use."""
    if Supervisor(run).is_up():
        return
    for name in ("api", "outside_world", "rabbitmq", "redis"):
        port = ports.PREFERRED[name]
        if not ports.is_free(port):
            yield Fault(
                f"port {port} ({name}) is taken; the kit will use another one", f"ss -ltnp 'sport = :{port}'", note=True
            )


def database(run: RunDir) -> Iterator[Fault]:
    """Check that the database answers."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from cars_bot.database import new_engine

    url = current().database_url
    try:
        engine = new_engine(url)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).strip().splitlines()[0]
        mend = "start that server, or unset DATABASE_URL to use SQLite"
        yield Fault(f"the database {redact(url)} cannot be used: {why}", mend)


def clocks(run: RunDir) -> Iterator[Fault]:
    """Check that this machine's clock agrees with the clock that all processes share."""
    from cars_bot import database
    from cars_bot.errors import StorageUnavailable
    from cars_bot.processes import clock

    try:
        database.compare_clocks()
    except StorageUnavailable:
        return
    if clock.ahead():
        yield Fault(clock.in_words(clock.ahead(), clock.whose()), "sudo timedatectl set-ntp true")
