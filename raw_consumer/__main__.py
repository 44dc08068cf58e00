"""python -m raw_consumer worker | scheduler | inspect"""
# ruff: noqa: T201 - what is printed here is the answer

import argparse
import json
import os
import signal
import socket
import sys

import redis

from cars_bot.processes import heartbeat
from cars_bot.processes import startup as startup  # first: bad settings end the process here

# isort: split
from cars_bot import clients
from cars_bot.catalogue import QUEUES
from cars_bot.errors import NotConfigured
from cars_bot.processes import raw_worker_state
from cars_bot.run_store import over_http
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.settings import settings
from raw_consumer.setup import logs


def worker(options: argparse.Namespace) -> int:
    """Consume until stopped."""
    from raw_consumer.consumer import Consumer
    from raw_consumer.inspection import reporter
    from raw_consumer.pool import Pool
    from raw_consumer.shared_slot import Slot

    store = over_http.report_to(options.report_to) if options.report_to else DATABASE_STORE

    def work(name: str, slot: Slot) -> None:
        logs.set_up(name, options.log_level)
        consumer = Consumer(settings().rmq_url, options.queues, name, slot, options.max_jobs_per_child, store)
        signal.signal(signal.SIGTERM, lambda *_: consumer.stop())
        consumer.work()

    startup.need_folder()
    clients.preload("raw")  # once, before the fork, and not again in every child
    if not options.report_to:
        heartbeat.Heartbeat(options.name, "raw", options.queues).start()
    pool = Pool(options.name, options.concurrency, work, options.stop_seconds, reporter(options.name), store)
    return 0 if pool.run() else 1


def scheduler(options: argparse.Namespace) -> int:
    """Put due runs into the outbox, for ever."""
    from raw_consumer.scheduler import run_for_ever

    startup.need_folder()
    return run_for_ever(options.name)


def inspect(options: argparse.Namespace) -> int:
    """Show the jobs of each worker's children."""
    try:
        workers = raw_worker_state.workers()
    except redis.RedisError as error:
        print(f"Redis is away, so nothing is known: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(workers))
        return 0
    for child in (child for found in workers for child in found["children"]):
        doing = f"{child['job']} for {child['seconds']} s, run {child['run']}" if child["job"] else "idle"
        print(f"{child['name']:20} pid {child['pid']:<8} {child['jobs_done']:>6} done  {doing}")
    return 0


def _queues(names: str) -> list[str]:
    chosen = names.split(",")
    if unknown := set(chosen) - set(QUEUES):
        raise argparse.ArgumentTypeError(f"no queue is called {', '.join(unknown)}; there are: {', '.join(QUEUES)}")
    return chosen


def main() -> int:
    """Run the command of the command line."""
    name = settings().worker_name or f"{socket.gethostname()}-{os.getpid()}"
    parser = argparse.ArgumentParser("python -m raw_consumer", description="The raw lane: jobs by hand, on pika.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("worker", help=worker.__doc__)
    command.set_defaults(run=worker)
    command.add_argument("--concurrency", type=int, default=2, help="child processes (default 2)")
    command.add_argument("--queues", type=_queues, default=list(QUEUES), help="a,b,c (default: all)")
    recycle = settings().jobs_per_child
    command.add_argument(
        "--max-jobs-per-child", type=int, default=recycle, help=f"then it is replaced; 0: never (default {recycle})"
    )
    command.add_argument(
        "--stop-seconds", type=float, default=25.0, help="for the jobs in hand, after SIGTERM (default 25)"
    )
    command.add_argument(
        "--report-to",
        metavar="URL",
        nargs="?",
        const=settings().api_url,
        help="this worker has no database: report to the API there over HTTP (default: API_URL)",
    )

    command = commands.add_parser("scheduler", help=scheduler.__doc__)
    command.set_defaults(run=scheduler)
    for service in commands.choices.values():
        service.add_argument(
            "--name", default=name, help="shown in logs and with runs (default: KIT_WORKER_NAME or host-pid)"
        )
        service.add_argument("--log-level", default="info")

    command = commands.add_parser("inspect", help=inspect.__doc__)
    command.set_defaults(run=inspect)
    command.add_argument("--json", action="store_true")

    options = parser.parse_args()
    if "name" in options:
        logs.set_up(options.name, options.log_level)
    try:
        return int(options.run(options))
    except NotConfigured as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
