"""Checks of a kit that is up: its processes, its connections, its spreadsheet and its queues.

They yield nothing while the kit is down. The checks in `at_work.py` go further and look at the work itself.
"""

from collections.abc import Iterator

from cars_bot.boundary.urls import is_redis
from cars_bot.settings import settings
from commands.common.state import RunDir, process_state
from commands.diagnosis.fault import Fault
from commands.servers import amqp, redis_server, user_settings
from commands.servers.readiness import http_answers
from commands.servers.supervisor import Supervisor


def processes(run: RunDir) -> Iterator[Fault]:
    """Check that each process stays up and is not suspended."""
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
    """Check that the servers let us in and that the API would accept a run."""
    values = run.read_env()
    if not Supervisor(run).is_up():
        return
    celery = {} if "CELERY_BROKER_URL" not in values else {"CELERY_BROKER_URL": settings().celery_broker_url}
    for name, url in ({name: values[name] for name in ("RMQ_URL", "REDIS_URL")} | celery).items():
        program, server = ("redis", redis_server) if is_redis(url) else ("rabbitmq", amqp)
        if why := server.why_not(url):
            yield Fault(f"{name}={user_settings.shown(url)}: {why}", f"./kit up {program}")
    if not http_answers(values["KIT_URL"] + "/healthz"):
        yield Fault(f"the API does not answer at {values['KIT_URL']}", "./kit restart api; ./kit logs api")
    elif not http_answers(values["KIT_URL"] + "/readyz"):
        yield Fault(
            "the API accepts no runs: its database refuses them", "./kit logs api; check that the disk is not full"
        )


def spreadsheet(run: RunDir) -> Iterator[Fault]:
    """Check that the spreadsheet can be opened, with the user's key or at the stand-in."""
    if not Supervisor(run).is_up():
        return
    from cars_bot.clients import spreadsheet
    from cars_bot.errors import CarsBotError

    try:
        spreadsheet.read("Channels", ())
    except CarsBotError as error:
        what, _, remedy = str(error).partition(". ")
        yield Fault(what, remedy or "./kit logs outside_world; the fault may be temporary")


def queues(run: RunDir) -> Iterator[Fault]:
    """Check that the queues in RabbitMQ belong to this kit."""
    from cars_bot.errors import StorageUnavailable

    if not Supervisor(run).is_up():
        return
    for lane in amqp.lanes():
        try:
            if not amqp.why_not(lane.url) and (owner := amqp.other_owner(lane)):
                yield Fault(*amqp.belongs_to(lane, owner))
        except StorageUnavailable:
            return  # the check of the database reports it
