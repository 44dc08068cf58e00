"""`kit process FILE --lane L`: import a Telegram export, run process_post on every message, print the fields found.

With --json it prints one line per message, in the export's order. The fields are id (the message's), is_sale, make,
model, year, mileage_km, price, currency, city, phones and telegram. A field that the post does not name is null.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from commands import wait
from commands.common import client
from commands.common.console import DONE, NO, Progress, as_json, say, table

FIELDS = ("is_sale", "make", "model", "year", "mileage_km", "price", "currency", "city", "phones", "telegram")
SHOWN = ("id", "is_sale", "make", "model", "year", "mileage_km", "price", "currency", "city")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="result.json of a Telegram export")
    parser.add_argument("--lane", choices=client.LANES, default="celery", help="the lane of the jobs (celery)")
    parser.add_argument("--timeout", type=float, default=300.0, metavar="S", help="seconds to wait at most (300)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def main(options: argparse.Namespace) -> int:
    from cars_bot.boundary.posts import import_export

    client.base_url()  # a Problem unless a kit is up, before anything is imported
    posts = import_export(options.file).post_ids
    with Progress(f"Processed {len(posts)} posts on the {options.lane} lane") as line:
        ids = send(posts.values(), options.lane, line)
        wait.wait(ids, options.timeout, line)
        ended = results(ids, options.lane)
    rows = [found(message, ended.get(run)) for (_, message), run in zip(posts, ids, strict=True)]
    if options.json:
        for row in rows:
            print(as_json(row))
    else:
        cells = [["" if row[name] is None else row[name] for name in SHOWN] for row in rows]
        print(table(cells, SHOWN, right=(0, 4, 5, 6)))
    failed = [run for run in ids if ended.get(run, {}).get("state") != "DONE"]
    for run in failed[:5]:
        say(f"run {run}: {ended.get(run, {}).get('error') or 'has not ended'}")
    return NO if failed else DONE


def send(post_ids: Any, lane: str, line: Progress) -> list[str]:
    """Submit process_post for each post, a few at once. Return the runs' ids in the posts' order."""
    ids = []
    with ThreadPoolExecutor(client.HANDS[lane]) as hands:
        for run in hands.map(lambda post: client.submit(lane, "process_post", {"post_id": post})[0], post_ids):
            ids.append(run["id"])
            line.update(f"{len(ids)} sent")
    return ids


def results(ids: list[str], lane: str) -> dict[str, dict[str, Any]]:
    """Return the runs as they are now, by id."""
    wanted = set(ids)
    return (
        {run["id"]: run for run in client.listed(min(ids), lane, "process_post") if run["id"] in wanted} if ids else {}
    )


def found(message: int, run: dict[str, Any] | None) -> dict[str, Any]:
    """Return the fields that a run found in a message. All are None if the run has no result."""
    result = (run or {}).get("result") or {}
    return {"id": message} | {name: result.get(name) for name in FIELDS}
