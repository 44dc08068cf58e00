"""`kit purge [QUEUE…]`: revoke the runs that still wait and empty their queues, on both lanes. Runs in progress go on.

An empty queue alone is not enough. The database remembers the accepted runs, and they would be published again.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from commands.common import client
from commands.common.console import USAGE, Problem, Progress
from commands.servers import amqp

HANDS = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help="default, ai_processing, publishing, … (all)")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def main(options: argparse.Namespace) -> int:
    from cars_bot.catalogue import QUEUES
    from cars_bot.settings import settings

    if unknown := set(options.queues) - set(QUEUES):
        raise Problem(f"no queue is called {', '.join(unknown)}", f"queues: {', '.join(QUEUES)}", code=USAGE)
    names = options.queues or list(QUEUES)
    waiting = [
        run["id"]
        for state in ("PENDING", "RETRYING")
        for run in client.pages(f"state={state}")
        if run["queue"] in names
    ]
    if waiting and not options.yes and not agreed(len(waiting)):
        raise Problem(
            f"nothing was purged: nobody agreed to revoke {len(waiting)} runs", "./kit purge --yes", code=USAGE
        )
    with (
        Progress(f"Revoked {len(waiting)} waiting runs; {', '.join(names)} are empty") as line,
        ThreadPoolExecutor(HANDS) as hands,
    ):
        for number, _ in enumerate(hands.map(client.cancel, waiting)):
            line.update(f"{number} of {len(waiting)}")
        amqp.purge(settings().rmq_url, [f"raw.{name}" for name in names])
        if not settings().celery_over_redis:  # this lane may have a broker of its own
            amqp.purge(settings().celery_broker_url, names)
    return 0


def agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"Revoke {count} waiting runs? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
