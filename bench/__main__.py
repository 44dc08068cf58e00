"""python -m bench: how fast each lane drains a backlog of no-op jobs, with every run tracked in a database.

Each round measures both lanes and stock Celery once for each database, one right after the other. So a machine that
slows down slows all of them. The result is the ratio within a round, and the median over the rounds. The start of a
worker does not count: the clock runs from the first twentieth of the jobs to the last job.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pika
from dotenv import dotenv_values

from bench.contestants import LANES, ROOT, STOCK, Contestant, Left, environment, stop
from commands.common.console import any_terminal
from commands.servers import postgres_server
from commands.servers.warden import Warden

TOO_LONG = 180.0  # seconds for one drain


def main() -> int:
    """Measure and print the table. It sets no limit for a ratio; the reader judges it."""
    parser = argparse.ArgumentParser(prog="./kit bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backlog", type=int, default=5_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    databases = options.databases.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the servers stop too

    rates: dict[tuple[str, str], list[float]] = {}
    with servers() as (addresses, folder), postgresql(folder, "postgresql" in databases) as pg:
        for round_ in range(1, options.rounds + 1):
            say(f"round {round_} of {options.rounds}")
            for name in databases:
                measure(STOCK, name, options.backlog, environment(**addresses), rates)
                for lane, contestant in LANES.items():
                    file = folder / f"{lane}-{round_}.sqlite3"
                    url = fresh(pg, f"{lane}_{round_}") if name == "postgresql" else f"sqlite:///{file}"
                    measure(contestant, name, options.backlog, environment(**addresses, DATABASE_URL=url), rates)
    report(rates, databases, options.json)
    return 0


def measure(
    who: Contestant, database: str, backlog: int, env: dict[str, str], rates: dict[tuple[str, str], list[float]]
) -> None:
    """Drain one backlog and keep the rate."""
    give_up_queues(env["RMQ_URL"])
    who.load(backlog, env)
    left = who.left(env)
    worker = who.start(env)
    try:
        rate = drain(left, backlog)
    finally:
        stop(worker)
        left.close()
    say(f"  {who.name:13} {database if who is not STOCK else '–':11} {rate:7,.0f} jobs/s")
    rates.setdefault((who.name, database), []).append(rate)


def give_up_queues(rmq_url: str) -> None:
    """Take the kit's marks off the queues. The next contestant has its own database, so it counts as another kit."""
    with closing(pika.BlockingConnection(pika.URLParameters(rmq_url))) as broker:
        for mark in ("raw.kit", "celery.kit"):
            broker.channel().queue_delete(mark)


def drain(left: Left, backlog: int) -> float:
    """Return jobs per second between the first twentieth and the last job."""
    began, at_begin = 0.0, 0
    deadline = time.monotonic() + TOO_LONG
    while time.monotonic() < deadline:
        remaining = left()
        if not began and remaining <= backlog * 0.95:
            began, at_begin = time.monotonic(), remaining
        if remaining == 0:
            return at_begin / (time.monotonic() - began)
        time.sleep(left.look_every)
    raise SystemExit(f"bench: {left()} of {backlog} jobs were not done within {TOO_LONG:.0f} s; try fewer jobs")


def report(rates: dict[tuple[str, str], list[float]], databases: list[str], as_json: bool) -> None:
    """Print the medians of the rates, and the medians of each round's ratios."""
    table: list[tuple[str, str, float, float | None, float | None]] = []
    for database in databases:
        stock, celery = rates[STOCK.name, database], rates[LANES["celery"].name, database]
        table.append((STOCK.name, "–", statistics.median(stock), None, None))
        for contestant in LANES.values():
            mine = rates[contestant.name, database]
            to_stock = statistics.median(a / b for a, b in zip(mine, stock, strict=True))
            to_celery = statistics.median(a / b for a, b in zip(mine, celery, strict=True))
            table.append((contestant.name, database, statistics.median(mine), to_stock, to_celery))
    if as_json:
        keys = ("who", "database", "jobs_per_second", "to_stock_celery", "to_celery_lane")
        print(json.dumps([dict(zip(keys, row, strict=True)) for row in table], indent=1))
        return
    print(f"\n{'':14}{'database':12}{'jobs/s':>8}{'÷ stock Celery':>16}{'÷ Celery lane':>15}")
    for who, database, rate, *ratios in table:
        shown = [f"{ratio:.2f}" if ratio else "" for ratio in ratios]
        print(f"{who:14}{database:12}{rate:8,.0f}{shown[0]:>16}{shown[1]:>15}")


def say(line: str) -> None:
    """Print progress to stderr; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def servers() -> Iterator[tuple[dict[str, str], Path]]:
    """Start a RabbitMQ and a Redis for the benchmark alone; yield their addresses and a folder to work in."""
    folder = Path(tempfile.mkdtemp(prefix="bench-")).resolve()
    run_dir = folder / "run"
    base = environment(KIT_RUN_DIR=str(run_dir))
    for name in ("RMQ_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "DATABASE_URL"):
        base.pop(name, None)
    kit = [sys.executable, "-m", "commands"]
    with Warden(f"KIT_RUN_DIR={run_dir}", folder):
        subprocess.run([*kit, "up", "--private", "rabbitmq", "redis"], cwd=ROOT, env=base, check=True, stdout=2)
        found = dotenv_values(run_dir / "kit.env")
        addresses = {name: str(found[name]) for name in ("RMQ_URL", "REDIS_URL")}
        yield {"KIT_RUN_DIR": str(run_dir), **addresses}, folder


@contextmanager
def postgresql(folder: Path, wanted: bool) -> Iterator[object]:
    """Start a PostgreSQL with its defaults and yield it; yield None if it is not wanted."""
    if not wanted:
        yield None
        return
    with postgres_server.running(folder / "postgresql") as server:
        yield server


def fresh(server, name: str) -> str:  # type: ignore[no-untyped-def]
    """Make a new database on `server`; return its URL."""
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))


if __name__ == "__main__":
    any_terminal(for_itself=True)
    raise SystemExit(main())
