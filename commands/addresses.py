"""Where this kit's servers are: given by the user, found on the machine, or to be started by us.

`find` decides and returns the plan; it starts nothing. The order, for RabbitMQ and for Redis alike: the address in the
environment or `.env`; a server on the standard port that lets the kit's login in and is nobody else's; a private one.
"""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dotenv import dotenv_values

from cars_bot.settings import redact
from commands import amqp, ports, redis_server
from commands.console import Problem
from commands.state import ROOT, RunDir

LOOPBACK = ("127.0.0.1", "localhost", "::1", "")
CLASSROOM_LOGIN = ("student", "qwerty")
# What a user may set; whatever the environment holds of it is handed on to every process.
SETTINGS = (
    "DATABASE_URL", "RMQ_URL", "CELERY_BROKER_URL", "REDIS_URL", "CELERY_RESULT_BACKEND", "API_URL",
    "OUTSIDE_WORLD_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BASE_URL", "TELEGRAM_CHANNEL", "GOOGLE_SERVICE_ACCOUNT_FILE", "SHEETS_BASE_URL", "SPREADSHEET_ID",
    "KIT_SECRET", "EXTRA_JOBS", "JOBS_PER_CHILD",
)  # fmt: skip
# Of these, what other commands must find in kit.env although only the shell that typed `kit up` had it set.
REMEMBERED = ("DATABASE_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "EXTRA_JOBS")


@dataclass
class Plan:
    """What `kit up` is going to do.

    Attributes:
        values: what goes into kit.env: every address by the name its setting has.
        ports: the ports our own processes listen on.
        private: which of rabbitmq, redis and outside_world we start ourselves.
        notes: what the user should know about where things are.
    """

    values: dict[str, str]
    ports: dict[str, int]
    private: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def given() -> dict[str, str]:
    """The settings the user made: `.env`, overruled by the environment."""
    both = dotenv_values(ROOT / ".env") | {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    return {name: value for name, value in both.items() if name in SETTINGS and value}


def find(run: RunDir, private_only: bool) -> Plan:
    """Decide where everything is.

    Args:
        private_only: use no server that merely happens to run on this machine.

    Raises:
        Problem: a given address is refused, malformed or does not answer.
    """
    settings = given()
    check_given(settings)
    plan = Plan({name: settings[name] for name in REMEMBERED if name in settings}, {})
    plan.values["KIT_SECRET"] = settings.get("KIT_SECRET") or run.secret()

    rmq_url = settings.get("RMQ_URL") or (None if private_only else amqp.found_on_this_machine())
    redis_url = settings.get("REDIS_URL") or (None if private_only else redis_server.found_on_this_machine(run))
    needed = ["api", "flower"]
    needed += [] if rmq_url else ["rabbitmq", "rabbitmq_management", "rabbitmq_dist", "epmd"]
    needed += [] if redis_url else ["redis"]
    needed += [] if "OUTSIDE_WORLD_URL" in settings else ["outside_world"]
    plan.ports = ports.choose(needed)
    plan.private = {"rabbitmq", "redis", "outside_world"} & set(needed)
    for name in ("api", "outside_world", "rabbitmq", "rabbitmq_management", "redis"):
        if name in plan.ports and plan.ports[name] != ports.PREFERRED[name]:
            plan.notes.append(f"port {ports.PREFERRED[name]} is taken: {name} is on {plan.ports[name]}")

    for name, setting, url in (("RabbitMQ", "RMQ_URL", rmq_url), ("Redis", "REDIS_URL", redis_url)):
        if url:
            plan.notes.append(f"{name}: {shown(url)}" + ("" if setting in settings else ", which runs on this machine"))

    page = f"http://127.0.0.1:{plan.ports['api']}"
    plan.values |= {
        "KIT_URL": page,
        "KIT_PORTS": ",".join(f"{name}={port}" for name, port in plan.ports.items()),
        "API_URL": settings.get("API_URL", f"{page}/update_task_status_api/"),
        "FLOWER_URL": f"http://127.0.0.1:{plan.ports['flower']}",
        "OUTSIDE_WORLD_URL": settings.get("OUTSIDE_WORLD_URL") or f"http://127.0.0.1:{plan.ports['outside_world']}",
        "RMQ_URL": rmq_url or f"amqp://student:qwerty@127.0.0.1:{plan.ports['rabbitmq']}/",
        "REDIS_URL": redis_url or f"redis://127.0.0.1:{plan.ports['redis']}/0",
    }
    if (
        "rabbitmq" not in plan.private
        and not settings.get("RMQ_URL")
        and ports.answers(ports.PREFERRED["rabbitmq_management"])
    ):
        plan.values["RMQ_MANAGEMENT_URL"] = f"http://127.0.0.1:{ports.PREFERRED['rabbitmq_management']}"
    if "rabbitmq" in plan.private:
        plan.values["RMQ_MANAGEMENT_URL"] = f"http://127.0.0.1:{plan.ports['rabbitmq_management']}"
    return plan


def check_given(settings: dict[str, str]) -> None:
    """Refuse what cannot work, or must not, before anything is started.

    Raises:
        Problem: names the setting and what would be right.
    """
    for name in ("RMQ_URL", "CELERY_BROKER_URL", "REDIS_URL", "CELERY_RESULT_BACKEND"):
        if name not in settings:
            continue
        url = settings[name]
        scheme = urlsplit(url).scheme
        allowed = {"RMQ_URL": ("amqp", "amqps"), "CELERY_BROKER_URL": ("amqp", "amqps", "redis", "rediss")}
        if scheme not in allowed.get(name, ("redis", "rediss")):
            right = " or ".join(f"{s}://…" for s in allowed.get(name, ("redis", "rediss")))
            raise Problem(f"{name}={redact(url)} is not an address the kit can use", f"give {right}")
        refuse_classroom_login_elsewhere(name, url)
        server = amqp if scheme.startswith("amqp") else redis_server
        if why := server.why_not(url):
            raise Problem(
                f"{name}={redact(url)} was given, but {why}",
                f"start that server, or unset {name} so that the kit starts one of its own",
            )


def refuse_classroom_login_elsewhere(name: str, url: str) -> None:
    """student/qwerty is printed in every lesson: a broker that others can reach must not know it."""
    parts = urlsplit(url)
    if (parts.username, parts.password) == CLASSROOM_LOGIN and (parts.hostname or "") not in LOOPBACK:
        raise Problem(
            f"{name} uses the classroom login student/qwerty on {parts.hostname}, which is not this machine",
            f"give that broker a user of its own: rabbitmqctl add_user …, then {name}=amqp://USER:PASSWORD@{parts.hostname}/",
        )


def shown(url: str) -> str:
    """An address fit to be printed: the classroom login is no secret, every other password is."""
    parts = urlsplit(url)
    return url if (parts.username, parts.password) == CLASSROOM_LOGIN else redact(url)
