"""`kit up`: find or start RabbitMQ and Redis, then start the rest in stages. A second `kit up` does no harm."""

import argparse
from concurrent.futures import ThreadPoolExecutor

from cars_bot.settings import settings
from commands.common.console import Problem, Progress, say
from commands.common.state import RunDir, end_leftovers, run_dir
from commands.down import bring_down
from commands.servers import addresses, amqp, ports, rabbitmq, redis_server
from commands.servers.processes import OPTIONAL, Program, configuration, environment, kit_programs
from commands.servers.readiness import PortTaken, Starting
from commands.servers.supervisor import Process, Supervisor, by_name
from commands.servers.user_settings import read_user_settings

TRIES = 3  # another program may take a port after we chose it and before we open it.
# Each stage starts as soon as everything that it needs is ready: (the programs it starts, the things it needs).
STAGES = (
    (("epmd", "rabbitmq", "redis", "outside_world"), ()),
    (("api",), ("redis", "database")),
    (("celery_worker", "celery_beat", "consumer", "scheduler", "flower"), ("rabbitmq", "redis", "database", "queues")),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="start only these, such as: rabbitmq redis api")
    parser.add_argument(
        "--private", action="store_true", help="ignore a RabbitMQ or Redis that already runs on this machine"
    )


def main(options: argparse.Namespace) -> int:
    run = run_dir()
    bring_up(run, options.names, options.private)
    say_where(run)
    return 0


def bring_up(run: RunDir, names: list[str] | None = None, private_only: bool = False) -> None:
    """Bring up the kit, or with `names` at least these processes.

    Raises:
        Problem: something is in the way. A fresh start has then stopped again everything that it started.
    """
    with run.locked():
        supervisor = Supervisor(run)
        if supervisor.is_up():
            values = run.read_env()
            with Progress(title(names or [])) as line:
                start_all(supervisor, values, names or [], line)
            return
        end_leftovers(run)
        for chance in reversed(range(TRIES)):
            try:
                start_fresh(run, names or [], private_only)
            except PortTaken as taken:
                if not chance:
                    raise
                say(f"· {taken.what}; trying again")
            else:
                return


def start_fresh(run: RunDir, names: list[str], private_only: bool) -> None:
    """Choose all addresses and start everything. If that fails, leave nothing behind.

    Raises:
        PortTaken: another program took a port first; other ports may be free.
        Problem: something else is in the way.
    """
    plan = addresses.find(run, private_only)
    for note in plan.notes:
        say(f"· {note}")
    programs = private_servers(run, plan) + kit_programs(run, plan.ports)
    run.write_env(plan.values)
    settings.cache_clear()
    settings()  # a wrong setting must be found before anything runs
    run.supervisor_conf.touch(mode=0o600)
    run.supervisor_conf.write_text(configuration(run, programs))
    supervisor = Supervisor(run)
    try:
        with Progress(title(names)) as line:
            pid = supervisor.launch(environment(run, read_user_settings() | plan.values))
            ports.hand_over(plan.ports.values(), pid)
            start_all(supervisor, plan.values, names, line)
    except BaseException:  # Ctrl-C too
        bring_down(run, seconds=2)
        raise


def title(names: list[str]) -> str:
    return f"Up: {', '.join(names)}" if names else "Everything is up"


def private_servers(run: RunDir, plan: addresses.Plan) -> list[Program]:
    programs = rabbitmq.programs(run, plan.ports, plan.hosts["rabbitmq"]) if "rabbitmq" in plan.ports else []
    return programs + (redis_server.programs(run, plan.ports, plan.hosts["redis"]) if "redis" in plan.ports else [])


def start_all(supervisor: Supervisor, values: dict[str, str], names: list[str], line: Progress) -> None:
    """Start the wanted processes that do not run yet, stage by stage. Wait until all of them are ready."""
    wanted = [p for p in chosen(supervisor.processes(), names) if p.state not in ("STARTING", "RUNNING")]
    programs = {p.program for p in wanted}
    starting = Starting(supervisor, values, line)
    with ThreadPoolExecutor(1) as pool:
        line.update("database")
        tables = pool.submit(create_tables)
        for started, needed in STAGES:
            stage = [p for p in wanted if p.program in started]
            if stage:
                starting.wait(name for name in needed if name in programs)
                if "database" in needed:
                    tables.result()
                if "queues" in needed:
                    reserve_queues({p.program for p in stage})
                starting.start(stage)
        tables.result()
        starting.wait(p.name for p in wanted)


def chosen(processes: list[Process], names: list[str]) -> list[Process]:
    """Return the processes that must run: the named ones, else the first copy of each program that is not optional."""
    if not names:
        return [p for p in processes if p.program not in OPTIONAL and p.name in (p.program, f"{p.program}-1")]
    copies = [p for name in names for p in by_name(processes, name) if p.name in (name, f"{name}-1")]
    return copies + ([p for p in processes if p.name == "epmd"] if "rabbitmq" in names else [])


def create_tables() -> None:
    """Create the database's tables.

    Raises:
        Problem: the database cannot be used.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from cars_bot.database import schema
    from cars_bot.settings import redact

    try:
        schema.create_tables()
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise Problem(
            f"the database {redact(settings().database_url)} cannot be used: {why}", "check DATABASE_URL"
        ) from error


def reserve_queues(workers: set[str]) -> None:
    """Make sure that the queues of these workers belong to this kit.

    Raises:
        Problem: they belong to another kit, and it is at work there.
    """
    from cars_bot.settings import redact

    for lane in amqp.lanes():
        if lane.worker not in workers or amqp.why_not(lane.url):
            continue
        if (owner := amqp.other_owner(lane)) is None:
            continue
        if any(amqp.consumers(lane.url, lane.queues).values()):
            raise Problem(*amqp.belongs_to(lane, owner))
        amqp.take_over(lane)
        say(f"· took over the queues at {redact(lane.url)} from a kit that is not at work: {owner}")


def say_where(run: RunDir) -> None:
    values = run.read_env()
    running = {p.program for p in Supervisor(run).processes() if p.is_alive}
    say()
    if "api" in running:
        say(f"  The page      {values['KIT_URL']}")
    if "flower" in running:
        say(f"  Flower        {values['FLOWER_URL']}")
    if "RMQ_MANAGEMENT_URL" in values:
        say(f"  RabbitMQ      {values['RMQ_MANAGEMENT_URL']}  (student / qwerty)")
    say("  What runs     ./kit status        Stop it all   ./kit down")
