"""`kit demo`: start everything, send the same 20 posts down every lane, and compare. The kit is left running.

The column "runs" of the table counts posts. A post's whole way is two runs: process_post reads the post and asks for
publish_post, which puts it into a channel made for this demo. The lanes take turns, so no lane slows down another.
"""

import argparse
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from commands import up
from commands.common import client
from commands.common.console import DONE, NO, Progress, bar, say, table
from commands.common.state import ROOT, run_dir

NEEDED = ("make", "model", "year", "mileage_km", "price", "currency", "city")
ENDED_BADLY = ("FAILED", "EXPIRED", "REVOKED")
COLUMNS = ("lane", "runs", "done", "failed", "retried", "lost", "duplicated", "in channel", "p50", "p95", "posts/s")
Run = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--posts", type=int, default=20, metavar="N", help="posts per lane (20); posts over 30 a minute wait"
    )
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds for each lane (60)")
    parser.add_argument("--json", action="store_true", help="the table as a JSON list")


def main(options: argparse.Namespace) -> int:
    elsewhere = os.environ.get("KIT_URL")  # another kit, such as one in containers: it is up and stays up
    if not elsewhere:
        up.bring_up(run_dir())
    posts = sample_posts(options.posts)
    started = f"{int(time.time()):x}"
    rows = [measure(lane, posts, f"@demo_{lane}_{started}", options.timeout) for lane in client.LANES]
    print(json.dumps([row.as_dict() for row in rows], indent=2) if options.json else for_people(rows))
    if not elsewhere:
        say(f"\n  See it      {client.base_url()}/\n  Stop it     ./kit down")
    return DONE if all(row.flawless for row in rows) else NO


@dataclass(frozen=True)
class Row:
    """The results of one lane's posts. All times are in seconds."""

    lane: str
    runs: int
    done: int
    failed: int
    retried: int
    lost: int
    duplicated: int
    in_channel: int | None
    p50: float
    p95: float
    per_second: float

    @property
    def flawless(self) -> bool:
        return self.done == self.runs and not self.duplicated and self.in_channel in (None, self.runs)

    def as_dict(self) -> dict[str, Any]:
        return vars(self)


def sample_posts(count: int) -> list[int]:
    """Import the sample export. Return our ids of its first `count` posts that offer a car and name all of `NEEDED`."""
    from cars_bot.boundary.posts import import_export

    folder = ROOT / "data"
    with Progress("Imported data/result.json"):
        imported = import_export(folder / "result.json").post_ids
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    sales = {answer["id"] for answer in expected if None not in [answer[name] for name in NEEDED]}
    return [post for (_, message), post in imported.items() if message in sales][:count]


def measure(lane: str, posts: list[int], channel: str, timeout: float) -> Row:
    """Send `posts` down `lane`, wait until each is in the channel, and count."""
    with Progress(f"{lane:6}") as line, ThreadPoolExecutor(client.HANDS[lane]) as hands:
        line.update(bar(0, len(posts)))

        def send(post: int) -> str:
            run = client.submit(lane, "process_post", {"post_id": post, "publish_to": channel})[0]
            return str(run["id"])

        ids = list(hands.map(send, posts))
        deadline = time.monotonic() + timeout
        while True:
            ways = follow(ids, lane)
            over = sum(has_ended(way) for way in ways)
            line.update(f"{bar(over, len(posts))} {over}/{len(posts)}")
            if over == len(posts) or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        line.title += f" {bar(over, len(posts))} {over}/{len(posts)}"
    return count(lane, ways, posted_to(channel))


def follow(ids: list[str], lane: str) -> list[list[Run]]:
    """Return each post's runs so far: process_post and, as soon as that has asked for it, publish_post."""
    first = min(ids)
    processed = {run["id"]: run for run in client.listed(first, lane, "process_post")}
    published = {run["parent"]: run for run in client.listed(first, lane, "publish_post")}
    return [[run for run in (processed.get(each), published.get(each)) if run] for each in ids]


def has_ended(way: list[Run]) -> bool:
    """Return whether a post has arrived or never will: one of its runs ended badly, or the post offers no car."""
    return arrived(way) or any(run["state"] in ENDED_BADLY or says_no_sale(run) for run in way)


def says_no_sale(run: Run) -> bool:
    return run["state"] == "DONE" and (run["result"] or {}).get("is_sale") is False


def arrived(way: list[Run]) -> bool:
    return [run["state"] for run in way] == ["DONE", "DONE"]


def count(lane: str, ways: list[list[Run]], in_channel: int | None) -> Row:
    """Return the lane's row of the table."""
    done = [way for way in ways if arrived(way)]
    failed = [way for way in ways if any(run["state"] in ENDED_BADLY for run in way)]
    latencies = sorted(way[-1]["finished_at"] - way[0]["accepted_at"] for way in done)
    began = min((way[0]["accepted_at"] for way in ways if way), default=0.0)
    took = max((way[-1]["finished_at"] for way in done), default=began) - began
    twice = client.summary([run["id"] for way in ways for run in way])[lane].get("duplicated", 0)
    return Row(
        lane, len(ways), len(done), len(failed),
        retried=sum(any(run["attempt"] > 1 for run in way) for way in ways),
        lost=len(ways) - len(done) - len(failed),
        duplicated=twice + max(0, (in_channel or 0) - len(ways)),
        in_channel=in_channel,
        p50=percentile(latencies, 0.50), p95=percentile(latencies, 0.95),
        per_second=len(done) / took if took else 0.0,
    )  # fmt: skip


def percentile(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least the share `share` of the values does not exceed (nearest rank)."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan


def posted_to(channel: str) -> int | None:
    """Return the number of messages in the stand-in's channel, or None if posts go to the real Telegram."""
    from cars_bot.settings import settings

    here = settings()
    if not (here.telegram_base_url or "").startswith(here.outside_world_url):
        return None
    return int(client.get_json(f"{here.outside_world_url}/_control/telegram/messages?chat={channel}")["total"])


def for_people(rows: list[Row]) -> str:
    cells = [
        (row.lane, row.runs, f"{row.done}/{row.runs}", row.failed, row.retried, row.lost, row.duplicated,
         "–" if row.in_channel is None else row.in_channel,
         f"{row.p50:.2f} s", f"{row.p95:.2f} s", f"{row.per_second:.1f}")
        for row in rows
    ]  # fmt: skip
    return "\n" + table(cells, COLUMNS, right=range(1, len(COLUMNS)))
