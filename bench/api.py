"""python -m bench.api: how many runs a second one API process accepts over HTTP, and how fast its lists and pages are.

    healthz    requests a second to an address that does nothing: the limit of the machine and the web server
    accepted   runs a second: `wrk`, 16 connections, one run a request; each answer is a 202 for a committed run, and
               the relay publishes the runs to RabbitMQ at the same time
    at half    the latency at half that rate: requests at a constant pace, each timed from the moment it was due
    pages      every list, filter and page, one after the other: the slowest 95th percentile

Each database is measured with an empty runs table and with one that has a history, `--rounds` times. The output shows
the medians. No workers run, so they take nothing from the machine.
"""

import argparse
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from bench.__main__ import fresh, give_up_queues, postgresql, say, servers
from bench.contestants import ROOT, environment, stop
from bench.pages import get, slowest_page
from commands.common import debian
from commands.servers.ports import choose

CONNECTIONS = 16
HEALTHZ_SECONDS = 2
TOO_LONG = 60.0  # seconds to wait until the last run of a round is published
SCRIPT = """
wrk.method = METHOD
wrk.headers["Content-Type"] = "application/json"
wrk.body = METHOD == "POST" and '{"job": "debug_task", "lane": "raw"}' or nil
function done(summary, latency)
  io.write(string.format('{"requests": %d, "microseconds": %d, "refused": %d, "p50": %f, "p95": %f, "p99": %f}',
    summary.requests, summary.duration, summary.errors.status + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
"""
_FILL = "import sys; from bench.million import fill; fill(int(sys.argv[1]))"

Figures = dict[str, float]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="./kit bench api", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load, each time (5)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="runs in the table with a history (1000000)")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    databases = options.databases.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the servers stop too

    table = []
    with servers() as (addresses, folder), postgresql(folder, "postgresql" in databases) as pg:
        tool = wrk(folder)
        for database, rows in product(databases, (0, options.rows)):
            say(f"{database}, {rows:,} runs in the table")
            url = fresh(pg, f"runs_{rows}") if database == "postgresql" else f"sqlite:///{folder}/{rows}.sqlite3"
            env = environment(**addresses, DATABASE_URL=url, KIT_SECRET="the benchmark's")  # noqa: S106
            subprocess.run([sys.executable, "-c", _FILL, str(rows)], cwd=ROOT, env=env, check=True)
            give_up_queues(env["RMQ_URL"])
            with serving(env) as api:
                pages = slowest_page(api) if rows else ("", 0.0)
                rounds = [measure(tool, api, options.seconds) for _ in range(options.rounds)]
            medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
            table.append({"database": database, "rows": rows, **medians, "page": pages[0], "page_p95": pages[1]})
    report(table, options.json)
    return 0


def measure(tool: str, api: str, seconds: float) -> Figures:
    """Measure one round against the API at that address."""
    idle = load(tool, api + "/healthz", "GET", HEALTHZ_SECONDS)
    full = load(tool, api + "/api/runs", "POST", seconds)
    began = time.monotonic()
    while get(api, "/api/runs?lane=raw&state=PENDING&limit=1")["runs"][0]["published_at"] is None:
        if time.monotonic() - began > TOO_LONG:
            raise SystemExit(f"bench: the relay did not publish all accepted runs within {TOO_LONG:.0f} s; see its log")
        time.sleep(0.01)
    published_after = time.monotonic() - began
    rate = full["requests"] / full["microseconds"] * 1e6
    command = [sys.executable, "-m", "bench.open_loop", api, str(rate / 2), str(seconds)]
    half = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    if full["refused"] or half["accepted"] != half["asked"]:
        raise SystemExit(f"bench: the API refused runs, so the rates mean nothing: {full}, {half}; see its log above")
    figures = {
        "healthz": idle["requests"] / idle["microseconds"] * 1e6,
        "accepted": rate,
        **{name: full[name] for name in ("p50", "p95", "p99")},
        **{f"half_{name}": half[name] for name in ("p50", "p95", "p99")},
        "published_after": published_after,
    }
    say("  " + "  ".join(f"{name} {figure:,.1f}" for name, figure in figures.items()))
    return figures


def load(tool: str, url: str, method: str, seconds: float) -> Figures:
    """Run wrk against `url`; return its counts, and its latencies in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.replace("METHOD", repr(method)))
        script.flush()
        command = [tool, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: Figures = json.loads(printed[printed.index("{") :])
    return figures


def wrk(folder: Path) -> str:
    """Return the path of the load generator: the installed one, or one fetched from Debian's packages."""
    if found := shutil.which("wrk"):
        return found
    debian.obtain("wrk", folder / "wrk")
    return shutil.which("wrk") or str(folder / "wrk/usr/bin/wrk")


@contextmanager
def serving(env: dict[str, str]) -> Iterator[str]:
    """Start an API for the benchmark alone; yield its address."""
    port = choose(["api"])["api"]
    command = [sys.executable, "-m", "api", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                get(f"http://127.0.0.1:{port}", "/healthz")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("bench: the API does not start; its log above says why") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def report(table: list[dict[str, Any]], as_json: bool) -> None:
    """Print the medians, and the ratio of accepted runs to /healthz of the same process."""
    if as_json:
        print(json.dumps(table, indent=1))
        return
    print(f"\n{'':22}{'/healthz':>10}{'accepted':>10}{'÷ healthz':>11}{'p50':>7}{'p95':>7}{'p99':>7}{'':4}"
          f"{'at half: p50':>12}{'p95':>7}{'p99':>7}{'':4}{'slowest page, p95':>18}")  # fmt: skip
    for row in table:
        page = f"{row['page_p95']:.0f} ms  {row['page']}" if row["page"] else ""
        print(f"{row['database']:11}{row['rows']:>10,} {row['healthz']:9,.0f}/s{row['accepted']:8,.0f}/s"
              f"{row['accepted'] / row['healthz']:11.2f}{row['p50']:7.1f}{row['p95']:7.1f}{row['p99']:7.1f}{'':4}"
              f"{row['half_p50']:12.1f}{row['half_p95']:7.1f}{row['half_p99']:7.1f}{'':4}{page}")  # fmt: skip
    print("\nMilliseconds; 16 connections, one run a request, one API process, the raw lane, no workers.")


if __name__ == "__main__":
    raise SystemExit(main())
