"""Addresses of this kit's servers: given by the user, found on the machine, or of servers that we will start.

`find` makes the plan; it starts nothing. For RabbitMQ and for Redis it takes the first of these:

- the address in the environment or in `.env`
- a server on the standard port that accepts the kit's login and is not in use by another kit
- a private server of this kit
"""

from dataclasses import dataclass, field

from cars_bot.boundary import urls
from cars_bot.settings import OWN_REDIS
from commands.common.state import RunDir
from commands.servers import amqp, ports, redis_server
from commands.servers.user_settings import SERVERS, check, own_host, read_user_settings, shown

# Settings that other commands must find in kit.env, even if only the shell of `kit up` had them.
REMEMBERED = ("DATABASE_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "TLS_CA_FILE", "EXTRA_JOBS")
RABBITMQ_PORTS = ("rabbitmq", "rabbitmq_management", "rabbitmq_dist", "epmd")
WORTH_SAYING = ("api", "outside_world", "rabbitmq", "rabbitmq_management", "redis")


@dataclass
class Plan:
    """The addresses and ports that `kit up` will use."""

    values: dict[str, str]  # the content of kit.env: every address by the name of its setting
    ports: dict[str, int]  # the ports that our own processes listen on, by program
    hosts: dict[str, str] = field(default_factory=dict)  # the addresses that our own RabbitMQ and Redis listen on
    notes: list[str] = field(default_factory=list)  # what the user should know about the addresses


def find(run: RunDir, private_only: bool) -> Plan:
    """Choose the addresses and ports of everything.

    Args:
        private_only: ignore the servers that already run on this machine.

    Raises:
        Problem: a given address is refused, is malformed or does not answer.
    """
    settings = read_user_settings()
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
    """Return the address that our own servers must listen on: 127.0.0.1, unless the user expects another one."""
    found = {"rabbitmq": "127.0.0.1", "redis": "127.0.0.1"}
    for url in (settings[name] for name in reversed(SERVERS) if settings.get(name) not in (None, "", OWN_REDIS)):
        program = "redis" if urls.is_redis(url) else "rabbitmq"
        if program in expected:
            found[program] = own_host(urls.address(url).host)
    return found


def management_port(chosen: dict[str, int], settings: dict[str, str]) -> int | None:
    """Return the port of RabbitMQ's own page, or None for a broker elsewhere, whose page we do not know."""
    standard = ports.PREFERRED["rabbitmq_management"]
    found = "RMQ_URL" not in settings and ports.answers(standard)
    return chosen.get("rabbitmq_management") or (standard if found else None)


def notes(values: dict[str, str], chosen: dict[str, int], expected: dict[str, int]) -> list[str]:
    """Return notes on all that a student would not expect: other ports than usual, servers that we did not start."""
    elsewhere = [
        f"port {ports.PREFERRED[name]} is taken: {name} is on {chosen[name]}"
        for name in WORTH_SAYING
        if name not in expected and chosen.get(name, ports.PREFERRED[name]) != ports.PREFERRED[name]
    ]
    used = {"rabbitmq": ("RabbitMQ", "RMQ_URL"), "redis": ("Redis", "REDIS_URL")}
    return elsewhere + [
        f"{title}: using {shown(values[setting])}" for name, (title, setting) in used.items() if name not in chosen
    ]
