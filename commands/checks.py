"""What `kit doctor` looks at: one function a check, yielding what is wrong and what to type. `CHECKS` is the table."""

import difflib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import amqp, bootstrap, debian, given, ports, rabbitmq, redis_server
from commands.console import Problem
from commands.readiness import http_answers
from commands.state import RunDir, living, process_state
from commands.supervisor import Supervisor

PATIENCE = 60  # seconds a run that is due may wait for a worker
LEAST_DISK = 500 * 1024 * 1024  # bytes; RabbitMQ itself stops accepting messages at 100 MB


@dataclass(frozen=True)
class Fault:
    """What is wrong and what to type. A `note` is worth knowing and needs nothing done."""

    what: str
    remedy: str
    note: bool = False


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
    if not path.exists():
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        name, equals, _ = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            yield Fault(f".env line {number} is no NAME=value: {line.strip()!r}", f"sed -i {number}d .env")
        elif name.strip() not in given.SETTINGS and name.strip() != "KIT_RUN_DIR":
            near = difflib.get_close_matches(name.strip(), given.SETTINGS, 1)
            hint = f"sed -i 's/^{name}=/{near[0]}=/' .env" if near else "see .env.example for the names there are"
            yield Fault(f".env line {number}: the kit has no setting {name!r}", hint)


def settings(run: RunDir) -> Iterator[Fault]:
    """What the user gave is usable; a given server answers."""
    try:
        given.check(given.given())
    except Problem as problem:
        yield Fault(problem.what, problem.remedy)
    key_file = given.given().get("GOOGLE_SERVICE_ACCOUNT_FILE")
    if key_file and not Path(key_file).is_file():
        yield Fault(
            f"GOOGLE_SERVICE_ACCOUNT_FILE={key_file} is not there",
            "put the key file there, or unset it to use the stand-in",
        )


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
    run.path.mkdir(parents=True, exist_ok=True)
    if not os.access(run.path, os.W_OK):
        yield Fault(f"{run.path} cannot be written to", f"sudo chown -R {os.getuid()} {run.path}")
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
    from cars_bot.errors import NotConfigured
    from cars_bot.settings import redact
    from cars_bot.settings import settings as current

    try:
        url = current().database_url
        with new_engine(url).connect() as connection:
            connection.execute(text("SELECT 1"))
    except NotConfigured as problem:
        yield Fault(str(problem), "correct it in .env or unset it")
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
    values = run.read_env()
    if not Supervisor(run).is_up():
        return
    for name, program, server in (("RMQ_URL", "rabbitmq", amqp), ("REDIS_URL", "redis", redis_server)):
        if why := server.why_not(values[name]):
            yield Fault(f"{name}={given.shown(values[name])}: {why}", f"./kit up {program}")
    if not http_answers(values["KIT_URL"]):
        yield Fault(f"the API does not answer at {values['KIT_URL']}", "./kit restart api; ./kit logs api")


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
    from cars_bot import clock, database
    from cars_bot.errors import StorageUnavailable

    try:
        database.compare_clocks()
    except StorageUnavailable:
        return
    if clock.ahead():
        yield Fault(clock.in_words(clock.ahead(), clock.whose()), "sudo timedatectl set-ntp true")


def workers(run: RunDir) -> Iterator[Fault]:
    """Somebody reads the queues of either lane. A raw worker that is busy does not; its reports say it is there."""
    values, supervisor = run.read_env(), Supervisor(run)
    if not supervisor.is_up() or amqp.why_not(values["RMQ_URL"]) or redis_server.why_not(values["REDIS_URL"]):
        return
    from cars_bot import presence
    from cars_bot.catalogue import QUEUES
    from cars_bot.settings import settings as current

    alive = {process.pid for process in supervisor.processes() if process.is_alive}
    idle = [] if alive & {worker["pid"] for worker in presence.workers()} else ["consumer"]
    if not current().celery_over_redis:
        read = amqp.consumers(values["RMQ_URL"], list(QUEUES))
        idle += [] if all(read.get(name) for name in QUEUES) else ["celery_worker"]
    for program in idle:
        mend = f"./kit scale {program}=1   or, if it runs: ./kit restart {program}"
        yield Fault(f"no {program} reads its queues", mend)


def progress(run: RunDir) -> Iterator[Fault]:
    """Nothing that could start has been waiting for long."""
    if not Supervisor(run).is_up():
        return
    from sqlalchemy import func, select

    from cars_bot import clock, database
    from cars_bot.errors import StorageUnavailable
    from cars_bot.models import runs

    late = (runs.c.state == "PENDING") & (runs.c.due_at < clock.now() - PATIENCE)
    try:
        with database.statements() as connection:
            waiting = connection.execute(select(runs.c.lane, func.count()).where(late).group_by(runs.c.lane)).all()
    except StorageUnavailable:
        return  # the check of the database says so
    for lane, count in waiting:
        program = {"celery": "celery_worker", "raw": "consumer"}.get(lane, "api")
        what = f"{count} runs of the {lane} lane have waited for more than {PATIENCE} s"
        yield Fault(
            what, f"./kit scale {program}=3   if they are many; ./kit logs {program}   if none moves", note=True
        )


CHECKS: dict[str, Check] = {
    "packages": packages,
    ".env": env_file,
    "settings": settings,
    "RabbitMQ and Redis": servers,
    "disk": disk,
    "leftovers": leftovers,
    "ports": taken_ports,
    "database": database,
    "processes": processes,
    "connections": brokers,
    "queues": queues,
    "clock": clocks,
    "workers": workers,
    "progress": progress,
}
