"""python -m bench.messages: the way of a message alone, without a runs table: drains, publishing, long backlogs.

    drain     jobs a second: the raw lane's worker, stock Celery and dramatiq, one after the other in each round
    publish   confirmed messages a second: the raw lane's publisher, and pika alone, which only the broker limits
    backlog   jobs a second for a short and for a long queue

There is no database, so no run is tracked.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
from contextlib import closing

from bench.__main__ import drain, say, servers
from bench.contestants import ROOT, STOCK, Contestant, QueueLength, environment, stop
from bench.untracked import Tally
from commands.common.console import any_terminal

_FILL_PEER = "import sys\nfrom bench.peer import noop\nfor _ in range(int(sys.argv[1])):\n    noop.send()"


class Undone:
    """The number of jobs that the raw lane's children have not counted as done yet."""

    def __init__(self, env: dict[str, str]) -> None:
        self.tally = Tally(env["BENCH_TALLY"])
        with closing(QueueLength(env, "raw.default")) as waiting:
            backlog = waiting()
        self.due = backlog + self.tally.total()
        self.look_every = min(0.1, backlog / 1_000_000)  # a short one ends soon, and a look is cheap

    def __call__(self) -> int:
        return self.due - self.tally.total()

    def close(self) -> None:
        """Do nothing: the file goes with the benchmark's folder."""


RAW = Contestant("raw lane", ["-m", "bench.untracked", "fill"], ["-m", "bench.untracked", "work"], Undone)
BARE = ["-m", "bench.bare"]
PEERS = [
    Contestant(f"dramatiq 2×{threads}", ["-c", _FILL_PEER],
               ["-m", "dramatiq", "bench.peer", "-p", "2", "-t", str(threads)], lambda env: QueueLength(env, "peer"))
    for threads in (1, 8)
]  # fmt: skip
BACKLOGS = (1_000, 30_000, 300_000)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./kit bench messages", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--backlogs", action="store_true", help=f"also drain {BACKLOGS}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    rates: dict[str, list[float]] = {}
    with servers() as (addresses, folder):
        env = environment(**addresses, BENCH_TALLY=str(folder / "tally"))
        for round_ in range(1, options.rounds + 1):
            say(f"round {round_} of {options.rounds}")
            note(rates, "pika alone, publish", published(BARE, options.jobs, env))
            drained(RAW, options.jobs, env)  # so that both publish into an empty queue
            note(rates, "raw lane, publish", published(RAW.fill, options.jobs, env))
            note(rates, RAW.name, drained(RAW, options.jobs, env))
            for who in (STOCK, *PEERS):
                who.load(options.jobs, env)
                note(rates, who.name, drained(who, options.jobs, env))
        if options.backlogs:
            for _ in range(options.rounds):
                for backlog in BACKLOGS:
                    published(RAW.fill, backlog, env)
                    note(rates, f"raw lane, backlog {backlog:,}", drained(RAW, backlog, env))
    medians = {who: statistics.median(measured) for who, measured in rates.items()}
    if options.json:
        print(json.dumps({"jobs_per_second": medians, "rounds": rates}, indent=1))
        return 0
    print(f"\n{'':28}{'per second':>12}{'÷ stock Celery':>16}")
    for name, rate in medians.items():
        ratio = statistics.median(a / b for a, b in zip(rates[name], rates[STOCK.name], strict=False))
        print(f"{name:28}{rate:12,.0f}{ratio:16.2f}")
    return 0


def note(rates: dict[str, list[float]], who: str, rate: float) -> None:
    """Keep and print a figure."""
    rates.setdefault(who, []).append(rate)
    say(f"  {who:28}{rate:9,.0f}/s")


def published(publisher: list[str], count: int, env: dict[str, str]) -> float:
    """Publish that many jobs for the raw lane; return confirmed messages a second, without the start of the process."""
    command = [sys.executable, *publisher, str(count)]
    return float(subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


def drained(who: Contestant, backlog: int, env: dict[str, str]) -> float:
    """Start the worker, drain the queue, and return jobs a second."""
    left = who.left(env)
    worker = who.start(env)
    try:
        return drain(left, backlog)
    finally:
        stop(worker)
        left.close()


if __name__ == "__main__":
    any_terminal(for_itself=True)
    raise SystemExit(main())
