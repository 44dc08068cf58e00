"""What `kit doctor` looks at: one function a check, yielding what is wrong and what to type. `CHECKS` is the table."""

import difflib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cars_bot.boundary.urls import is_redis
from cars_bot.errors import NotConfigured
from cars_bot.settings import redact
from cars_bot.settings import settings as current
from commands.common import bootstrap, debian
from commands.common.console import Problem
from commands.common.state import RunDir, living, process_state
from commands.diagnosis import at_work
from commands.diagnosis.fault import Fault
from commands.servers import amqp, given, ports, rabbitmq, redis_server
from commands.servers import leftovers as remains
from commands.servers.readiness import http_answers
from commands.servers.supervisor import Supervisor

LEAST_DISK = 500 * 1024 * 1024  # bytes; RabbitMQ itself stops accepting messages at 100 MB


Check = Callable[[RunDir], Iterator[Fault]]


def packages(run: RunDir) -> Iterator[Fault]:
    """`./kit` itself sees to this at each start, so only a kit run past it can be out of date."""
    if Path(sys.prefix) != bootstrap.VENV:
        yield Fault(f"this Python is {sys.prefix}, not the kit's .venv", "", note=True)
    elif not bootstrap.is_ready("requirements.txt"):
        yield Fault(
            "the packages in .venv are not those of requirements.txt", "./kit status   (any command installs them)"
        )


def env_file(run: RunDir) -> Iterator[Fault]:
    path = given.env_file()
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        name, equals, _ = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            yield Fault(f".env line {number} is no NAME=value", f"sed -i {number}d .env")  # it may hold a password
        elif name.strip() not in given.SETTINGS and name.strip() != "KIT_RUN_DIR":
            near = difflib.get_close_matches(name.strip(), given.SETTINGS, 1)
            hint = f"sed -i 's/^{name}=/{near[0]}=/' .env" if near else "see .env.example for the names there are"
            yield Fault(f".env line {number}: the kit has no setting {name!r}", hint)


def settings(run: RunDir) -> Iterator[Fault]:
    """What the user gave is usable; a given server answers."""
    try:
        current()
        given.check(given.given())
    except NotConfigured as wrong:
        yield Fault(str(wrong), "correct it in .env or in the shell, or unset it")
        return
    except Problem as problem:
        yield Fault(problem.what, problem.remedy)
    key_file = given.given().get("GOOGLE_SERVICE_ACCOUNT_FILE")
    if key_file:
        yield from google_key(key_file)


def google_key(path: str) -> Iterator[Fault]:
    """Only a look at the file: nobody is asked."""
    from cars_bot.clients.google_http import read_key
    from cars_bot.errors import Permanent

    try:
        read_key(path)
    except Permanent as error:
        what, _, remedy = str(error).partition("; ")
        yield Fault(what, remedy)


def spreadsheet(run: RunDir) -> Iterator[Fault]:
    """The spreadsheet can be opened, with the key there is or at the stand-in."""
    if not Supervisor(run).is_up():
        return
    from cars_bot.clients import spreadsheet
    from cars_bot.errors import CarsBotError

    try:
        spreadsheet.read("Channels", ())
    except CarsBotError as error:
        what, _, remedy = str(error).partition(". ")
        yield Fault(what, remedy or "./kit logs outside_world; it may pass")


def servers(run: RunDir) -> Iterator[Fault]:
    """RabbitMQ and Redis are there or can be had."""
    settings = given.given()
    for setting, name, server in (("RMQ_URL", "RabbitMQ", rabbitmq), ("REDIS_URL", "Redis", redis_server)):
        if setting in settings or server.installed() or server.unpacked():
            continue
        package = f"{name.lower()}-server"
        if debian.is_debian():
            yield Fault(f"{name} is not installed; ./kit up will see to it", f"apt-get install {package}", note=True)
        else:
            yield Fault(f"{name} is not installed", f"install {package}, or set {setting}, or docker compose up")


def disk(run: RunDir) -> Iterator[Fault]:
    try:
        run.create()
    except Problem as problem:
        yield Fault(problem.what, problem.remedy)
        return
    free = shutil.disk_usage(run.path).free
    if free < LEAST_DISK:
        yield Fault(f"only {free // 2**20} MB are free under {run.path}", f"du -sh {run.path}/*   shows what could go")


def leftovers(run: RunDir) -> Iterator[Fault]:
    if Supervisor(run).is_up():
        return
    if pids := living(run):
        yield Fault(f"supervisord is gone, its processes are not: {', '.join(map(str, pids))}", "./kit down")
    for path in (run.socket, run.supervisor_pid):
        if path.exists():
            yield Fault(f"{path} was left by a kit that was killed", "./kit down")


def experiments(run: RunDir) -> Iterator[Fault]:
    """Servers of a lab's check, an antipattern or the tests whose owner is gone."""
    for mark, pids in remains.left().items():
        folder = remains.folder_of(mark)
        whose = f"an experiment in {folder}" if folder else "tests"
        mend = f"kill -9 {' '.join(map(str, pids))}" + (f"; rm -r {folder}" if folder else "")
        yield Fault(f"{len(pids)} processes of {whose} still run, and who started them is gone", mend)


def taken_ports(run: RunDir) -> Iterator[Fault]:
    if Supervisor(run).is_up():
        return
    for name in ("api", "outside_world", "rabbitmq", "redis"):
        port = ports.PREFERRED[name]
        if not ports.is_free(port):
            yield Fault(
                f"port {port} ({name}) is taken; the kit will step around it", f"ss -ltnp 'sport = :{port}'", note=True
            )


def database(run: RunDir) -> Iterator[Fault]:
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


def processes(run: RunDir) -> Iterator[Fault]:
    supervisor = Supervisor(run)
    if not supervisor.is_up():
        return
    for process in supervisor.processes():
        if process.state in ("FATAL", "EXITED", "BACKOFF"):
            yield Fault(
                f"{process.name} does not stay up ({process.state})",
                f"./kit logs {process.name}; ./kit up {process.name}",
            )
        elif process.state == "RUNNING" and process_state(process.pid) == "T":
            yield Fault(f"{process.name} is suspended", f"kill -CONT {process.pid}")


def brokers(run: RunDir) -> Iterator[Fault]:
    """The servers let us in, and the API would take a run in."""
    values = run.read_env()
    if not Supervisor(run).is_up():
        return
    celery = {} if "CELERY_BROKER_URL" not in values else {"CELERY_BROKER_URL": current().celery_broker_url}
    for name, url in ({name: values[name] for name in ("RMQ_URL", "REDIS_URL")} | celery).items():
        program, server = ("redis", redis_server) if is_redis(url) else ("rabbitmq", amqp)
        if why := server.why_not(url):
            yield Fault(f"{name}={given.shown(url)}: {why}", f"./kit up {program}")
    if not http_answers(values["KIT_URL"] + "/healthz"):
        yield Fault(f"the API does not answer at {values['KIT_URL']}", "./kit restart api; ./kit logs api")
    elif not http_answers(values["KIT_URL"] + "/readyz"):
        yield Fault("the API takes no runs in: its database refuses them", "./kit logs api; is the disk full?")


def queues(run: RunDir) -> Iterator[Fault]:
    """The queues in RabbitMQ are this kit's."""
    from cars_bot.errors import StorageUnavailable

    if not Supervisor(run).is_up():
        return
    for lane in amqp.lanes():
        try:
            if not amqp.why_not(lane.url) and (owner := amqp.other_owner(lane)):
                yield Fault(*amqp.belongs_to(lane, owner))
        except StorageUnavailable:
            return  # the check of the database says so


def clocks(run: RunDir) -> Iterator[Fault]:
    """This machine's clock agrees with the one that all processes share."""
    from cars_bot import database
    from cars_bot.errors import StorageUnavailable
    from cars_bot.processes import clock

    try:
        database.compare_clocks()
    except StorageUnavailable:
        return
    if clock.ahead():
        yield Fault(clock.in_words(clock.ahead(), clock.whose()), "sudo timedatectl set-ntp true")


CHECKS: dict[str, Check] = {
    "packages": packages,
    ".env": env_file,
    "settings": settings,
    "RabbitMQ and Redis": servers,
    "disk": disk,
    "leftovers": leftovers,
    "experiments": experiments,
    "ports": taken_ports,
    "database": database,
    "processes": processes,
    "connections": brokers,
    "spreadsheet": spreadsheet,
    "queues": queues,
    "clock": clocks,
    "workers": at_work.workers,
    "progress": at_work.progress,
    "crashes": at_work.crashes,
    "dead letters": at_work.dead_letters,
}
