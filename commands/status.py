"""`kit status`: show the processes that run and their addresses, for people and (`--json`) for scripts."""

import argparse
import json
from typing import Any

from commands.common.console import NOT_UP, Problem, table
from commands.common.state import RunDir, run_dir
from commands.servers.supervisor import Process, Supervisor


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")


def main(options: argparse.Namespace) -> int:
    run = run_dir()
    try:
        found = status(run)
    except Problem as problem:
        if options.json and problem.code == NOT_UP:
            print(json.dumps({"urls": {}, "processes": [], "run_dir": str(run.path)}))
        raise
    print(json.dumps(found, indent=2) if options.json else for_people(found))
    return 0


def status(run: RunDir) -> dict[str, Any]:
    """Return the kit's addresses and processes.

    Raises:
        Problem: the kit is not up.
    """
    processes = [p for p in Supervisor(run).processes() if p.is_alive or p.state in ("FATAL", "EXITED")]
    return {
        "urls": urls(run.read_env(), {p.program for p in processes}),
        "processes": [as_dict(p) for p in processes],
        "run_dir": str(run.path),
    }


def as_dict(process: Process) -> dict[str, Any]:
    return {"name": process.name, "pid": process.pid, "state": process.state, "uptime_seconds": process.uptime_seconds}


def urls(values: dict[str, str], programs: set[str]) -> dict[str, str]:
    from cars_bot.settings import redact as without_password
    from cars_bot.settings import settings
    from commands.servers.user_settings import shown

    page = values["KIT_URL"]
    found = {
        "page": page,
        "api": f"{page}/api",
        "docs": f"{page}/docs",
        "rabbitmq_management": values.get("RMQ_MANAGEMENT_URL", ""),
        "flower": values["FLOWER_URL"] if "flower" in programs else "",
        "outside_world": without_password(values["OUTSIDE_WORLD_URL"]),
        "rmq": shown(values["RMQ_URL"]),
        "celery_broker": shown(settings().celery_broker_url) if "CELERY_BROKER_URL" in values else "",
        "redis": shown(values["REDIS_URL"]),
        "database": without_password(settings().database_url),
    }
    return {name: url for name, url in found.items() if url}


def for_people(found: dict[str, Any]) -> str:
    rows = [(p["name"], p["state"], p["pid"] or "", clock(p["uptime_seconds"])) for p in found["processes"]]
    return (
        table(rows, ("process", "state", "pid", "up for"), right=(2, 3))
        + "\n\n"
        + table(list(found["urls"].items()))
        + f"\n\nrun directory: {found['run_dir']}"
    )


def clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
