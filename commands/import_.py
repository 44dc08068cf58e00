"""`kit import FILE`: store the posts of a Telegram Desktop export (result.json). A second import changes nothing.

A message that cannot be read is named and left out. The others are imported.
"""

import argparse
import sys
from pathlib import Path

from commands.common.client import base_url
from commands.common.console import Progress, as_json

MOST_NAMED = 20  # messages that are named one by one


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="result.json, such as data/result.json")
    parser.add_argument(
        "--json", action="store_true", help='{"imported": N, "skipped": M, "unreadable": […], "posts": [{…}, …]}'
    )


def main(options: argparse.Namespace) -> int:
    from cars_bot.boundary.posts import import_export

    base_url()  # a Problem unless a kit is up: the posts go into its database
    with Progress(f"Imported {options.file}") as line:
        found = import_export(options.file, lambda done, total: line.update(f"{done:,} of {total:,} messages"))
    for sentence in found.unreadable[:MOST_NAMED]:
        print(f"left out: {sentence}", file=sys.stderr)
    if (more := len(found.unreadable) - MOST_NAMED) > 0:
        print(f"left out: {more:,} more; --json lists them all", file=sys.stderr)
    if options.json:
        posts = [
            {"channel": channel, "message_id": message, "post_id": post}
            for (channel, message), post in found.post_ids.items()
        ]
        counts = {"imported": len(posts), "skipped": found.skipped, "unreadable": found.unreadable}
        print(as_json(counts | {"posts": posts}))
    else:
        print(f"{len(found.post_ids)} posts imported, {found.skipped} service messages skipped")
    return 0
