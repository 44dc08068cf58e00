"""python -m bench.api: how many runs a second one API process accepts over HTTP, and how fast its lists and pages are.

healthz    requests a second of an address that does nothing: what the machine and the web server allow
accepted   `wrk`, 16 connections, one run a request; each answer is a 202 for a run that is committed, and the relay
           publishes the runs to RabbitMQ meanwhile
at half    the latency at half that rate, sent at a constant pace and counted from the moment each was due
pages      every list, filter and page, one after the other: the slowest 95th percentile

Each is measured with an empty runs table and with one that has a history, on each database, `--rounds` times over;
the medians are printed. There are no workers: what they take from the machine is theirs.
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
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.__main__ import fresh, give_up_queues, postgresql, say, servers
from bench.contestants import ROOT, environment, stop
from commands.common import debian
from commands.servers.ports import choose

CONNECTIONS = 16
HEALTHZ_SECONDS = 2
TOO_LONG = 60.0  # seconds until the last of a round is published
TIMES = 20  # each list and page is asked for
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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the servers are stopped then too

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
    """One round against the API at that address."""
    idle = load(tool, api + "/healthz", "GET", HEALTHZ_SECONDS)
    full = load(tool, api + "/api/runs", "POST", seconds)
    began = time.monotonic()
    while get(api, "/api/runs?lane=raw&state=PENDING&limit=1")["runs"][0]["published_at"] is None:
        if time.monotonic() - began > TOO_LONG:
            raise SystemExit(f"bench: what was accepted is not published within {TOO_LONG:.0f} s")
        time.sleep(0.01)
    published_after = time.monotonic() - began
    rate = full["requests"] / full["microseconds"] * 1e6
    command = [sys.executable, "-m", "bench.open_loop", api, str(rate / 2), str(seconds)]
    half = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    if full["refused"] or half["accepted"] != half["asked"]:
        raise SystemExit(f"bench: runs were refused: {full}, {half}")
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
    """Run wrk against `url` and return what it counted; milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.replace("METHOD", repr(method)))
        script.flush()
        command = [tool, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: Figures = json.loads(printed[printed.index("{") :])
    return figures


# ---------------------------------------------------------------- lists and pages


def addresses() -> Iterator[str]:
    """Every list with every filter, at its beginning and far back, and the pages."""
    long_ago = "01000000-0000-7000-8000-000000000000"  # older than all: the end of the list
    lanes, states = ("", "raw", "inline"), ("", "PENDING", "IN_PROGRESS", "DONE", "FAILED", "REVOKED")
    for lane, state, job in product(lanes, states, ("", "debug_task", "sync_channels")):
        filters = {name: value for name, value in (("lane", lane), ("state", state), ("job", job)) if value}
        yield "/api/runs?" + urlencode({**filters, "limit": 200})
        yield "/api/runs?" + urlencode({**filters, "before": long_ago})
        yield "/?" + urlencode(filters)
    yield from ("/api/summary", "/api/jobs", "/parity", "/docs")


def slowest_page(api: str) -> tuple[str, float]:
    """The address that is answered slowest, and its 95th percentile in milliseconds."""
    newest = get(api, "/api/runs?limit=200")["runs"]
    asked = [*addresses(), f"/api/runs?parent={newest[0]['id']}", f"/api/runs?before={newest[-1]['id']}"]
    asked += [f"/runs/{newest[0]['id']}", f"/api/runs/{newest[0]['id']}", f"/api/runs/{newest[0]['id']}/events"]
    times: dict[str, list[float]] = {}
    for address in asked:
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            get(api, address, as_json=False)
            times.setdefault(address, []).append((time.perf_counter() - began) * 1000)
    p95 = {address: sorted(took[1:])[round(TIMES * 0.95) - 1] for address, took in times.items()}
    for address in sorted(p95, key=lambda each: -p95[each])[:3]:
        say(f"  {p95[address]:6.1f} ms  {address}")
    slowest = max(p95, key=lambda address: p95[address])
    return slowest, p95[slowest]


def get(api: str, address: str, as_json: bool = True) -> Any:
    """GET and return the answer."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(api + address, timeout=60) as answer:
        body = answer.read()
    return json.loads(body) if as_json else body


# ---------------------------------------------------------------- what is needed


def wrk(folder: Path) -> str:
    """The load generator: installed, or fetched from Debian's packages."""
    if found := shutil.which("wrk"):
        return found
    debian.obtain("wrk", folder / "wrk")
    return shutil.which("wrk") or str(folder / "wrk/usr/bin/wrk")


@contextmanager
def serving(env: dict[str, str]) -> Iterator[str]:
    """An API of the benchmark's own; yields its address."""
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
                    raise SystemExit("bench: the API does not start; its words stand above") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def report(table: list[dict[str, Any]], as_json: bool) -> None:
    """Print the medians, and what they are to /healthz of the same process."""
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
