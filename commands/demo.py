"""`kit demo`: start everything, send the same 20 posts down every lane, and compare. The kit is left running.

The column "runs" of the table counts posts. A post's whole way is two runs: process_post reads the post and asks for
publish_post, which puts it into a channel made for this demo. It is a comparison: its record is kept, and the page
shows each attempt.
"""

import argparse
import json
import os
from dataclasses import dataclass
from typing import Any

from commands import up
from commands.common import client
from commands.common.console import DONE, NO, Progress, say, table
from commands.common.state import run_dir
from commands.compare import follow

COLUMNS = ("lane", "runs", "done", "failed", "retried", "lost", "duplicated", "in channel", "p50", "p95", "posts/s")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--posts", type=int, default=20, metavar="N", help="posts per lane (20); posts over 30 a minute wait"
    )
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds until it ends anyway (60)")
    parser.add_argument("--json", action="store_true", help="the table as a JSON list")


def main(options: argparse.Namespace) -> int:
    elsewhere = os.environ.get("KIT_URL")  # another kit, such as one in containers: it is up and stays up
    if not elsewhere:
        up.bring_up(run_dir())
    wanted = {"name": "Demo", "lanes": client.LANES, "count": options.posts, "deadline": options.timeout}
    comparison = client.call("POST", "/api/comparisons", wanted)
    with Progress(f"{options.posts} posts on each lane") as line:
        ended = follow(comparison, line)
    rows = [row(lane, figures, ended["id"]) for lane, figures in ended["result"]["lanes"].items()]
    print(json.dumps([vars(each) for each in rows], indent=2) if options.json else for_people(rows))
    if not elsewhere:
        page = f"{client.base_url()}/comparisons/{ended['id']}"
        say(f"\n  See it      {page}\n  The kit     {client.base_url()}/\n  Stop it     ./kit down")
    return DONE if all(each.flawless for each in rows) else NO


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
    p50: float | None  # None: too few posts for it
    p95: float | None
    per_second: float

    @property
    def flawless(self) -> bool:
        return self.done == self.runs and not self.duplicated and self.in_channel in (None, self.runs)


def row(lane: str, figures: dict[str, Any], comparison: str) -> Row:
    """Return the lane's row of the table: its figures, and the posts that are in its channel."""
    from cars_bot.comparisons.submissions import channel

    in_channel = posted_to(channel(comparison, lane))
    surplus = max(0, (in_channel or 0) - figures["accepted"])
    return Row(
        lane, figures["accepted"], figures["done"],
        failed=sum(figures[name] for name in ("failed", "unknown", "expired", "revoked")),
        retried=figures["retried"], lost=figures["lost"], duplicated=figures["duplicated"] + surplus,
        in_channel=in_channel,
        p50=figures["total"].get("p50"), p95=figures["total"].get("p95"),
        per_second=figures["per_second"] or 0.0,
    )  # fmt: skip


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
         "–" if row.in_channel is None else row.in_channel, seconds(row.p50), seconds(row.p95), f"{row.per_second:.1f}")
        for row in rows
    ]  # fmt: skip
    return "\n" + table(cells, COLUMNS, right=range(1, len(COLUMNS)))


def seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"
