"""Where this kit's servers are: given by the user, found on the machine, or to be started by us.

`find` decides and returns the plan; it starts nothing. The order, for RabbitMQ and for Redis alike: the address in the
environment or `.env`; a server on the standard port that lets the kit's login in and is nobody else's; a private one.
"""

from dataclasses import dataclass, field

from cars_bot.boundary import urls
from cars_bot.settings import OWN_REDIS
from commands.common.state import RunDir
from commands.servers import amqp, ports, redis_server
from commands.servers.given import SERVERS, check, given, own_host, shown

# What other commands must find in kit.env although only the shell that typed `kit up` had it set.
REMEMBERED = ("DATABASE_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "TLS_CA_FILE", "EXTRA_JOBS")
RABBITMQ_PORTS = ("rabbitmq", "rabbitmq_management", "rabbitmq_dist", "epmd")
WORTH_SAYING = ("api", "outside_world", "rabbitmq", "rabbitmq_management", "redis")


@dataclass
class Plan:
    """What `kit up` is going to do.

    Attributes:
        values: what goes into kit.env: every address by the name its setting has.
        ports: the ports our own processes listen on, by program.
        hosts: the addresses that our own RabbitMQ and Redis listen on.
        notes: what the user should know about where things are.
    """

    values: dict[str, str]
    ports: dict[str, int]
    hosts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def find(run: RunDir, private_only: bool) -> Plan:
    """Decide where everything is.

    Args:
        private_only: use no server that merely happens to run on this machine.

    Raises:
        Problem: a given address is refused, malformed or does not answer.
    """
    settings = given()
    expected = check(settings)
    look = not private_only
    rmq_url = settings.get("RMQ_URL") or (amqp.found_on_this_machine() if look and "rabbitmq" not in expected else None)
    redis_url = settings.get("REDIS_URL") or (
        redis_server.found_on_this_machine(run) if look and "redis" not in expected else None
    )
    chosen = ports.choose(
        [
            *("api", "flower"),
            *([] if rmq_url and "rabbitmq" not in expected else RABBITMQ_PORTS),
            *([] if redis_url and "redis" not in expected else ["redis"]),
            *([] if "OUTSIDE_WORLD_URL" in settings else ["outside_world"]),
        ],
        expected,
    )
    page = f"http://127.0.0.1:{chosen['api']}"
    values = {name: settings[name] for name in REMEMBERED if name in settings} | {
        "KIT_SECRET": settings.get("KIT_SECRET") or run.secret(),
        "KIT_URL": page,
        "KIT_PORTS": ",".join(f"{name}={port}" for name, port in chosen.items()),
        "API_URL": settings.get("API_URL") or f"{page}/update_task_status_api/",
        "FLOWER_URL": f"http://127.0.0.1:{chosen['flower']}",
        "OUTSIDE_WORLD_URL": settings.get("OUTSIDE_WORLD_URL") or f"http://127.0.0.1:{chosen['outside_world']}",
        "RMQ_URL": rmq_url or f"amqp://student:qwerty@127.0.0.1:{chosen['rabbitmq']}/",
        "REDIS_URL": redis_url or f"redis://127.0.0.1:{chosen['redis']}/0",
    }
    if management := management_port(chosen, settings):
        values["RMQ_MANAGEMENT_URL"] = f"http://127.0.0.1:{management}"
    return Plan(values, chosen, hosts(settings, expected), notes(values, chosen, expected))


def hosts(settings: dict[str, str], expected: dict[str, int]) -> dict[str, str]:
    """Where a server of ours has to listen: on 127.0.0.1, unless the user expects it at another address."""
    found = {"rabbitmq": "127.0.0.1", "redis": "127.0.0.1"}
    for url in (settings[name] for name in reversed(SERVERS) if settings.get(name) not in (None, "", OWN_REDIS)):
        program = "redis" if urls.is_redis(url) else "rabbitmq"
        if program in expected:
            found[program] = own_host(urls.address(url).host)
    return found


def management_port(chosen: dict[str, int], settings: dict[str, str]) -> int | None:
    """Where RabbitMQ's own page is; of a broker elsewhere it is not known."""
    standard = ports.PREFERRED["rabbitmq_management"]
    found = "RMQ_URL" not in settings and ports.answers(standard)
    return chosen.get("rabbitmq_management") or (standard if found else None)


def notes(values: dict[str, str], chosen: dict[str, int], expected: dict[str, int]) -> list[str]:
    """What differs from what a student expects to see."""
    elsewhere = [
        f"port {ports.PREFERRED[name]} is taken: {name} is on {chosen[name]}"
        for name in WORTH_SAYING
        if name not in expected and chosen.get(name, ports.PREFERRED[name]) != ports.PREFERRED[name]
    ]
    used = {"rabbitmq": ("RabbitMQ", "RMQ_URL"), "redis": ("Redis", "REDIS_URL")}
    return elsewhere + [
        f"{title}: using {shown(values[setting])}" for name, (title, setting) in used.items() if name not in chosen
    ]
