"""`kit import FILE`: take the posts of a Telegram Desktop export (result.json) in. Importing again changes nothing."""

import argparse
from pathlib import Path

from commands.client import base_url
from commands.console import as_json


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="result.json, such as data/result.json")
    parser.add_argument("--json", action="store_true", help='{"imported": N, "skipped": M, "posts": [{…}, …]}')


def main(options: argparse.Namespace) -> int:
    from cars_bot.posts import import_export

    base_url()  # into the database of a kit that is up, not beside one
    found = import_export(options.file)
    if options.json:
        posts = [
            {"channel": channel, "message_id": message, "post_id": post}
            for (channel, message), post in found.post_ids.items()
        ]
        print(as_json({"imported": len(posts), "skipped": found.skipped, "posts": posts}))
    else:
        print(f"{len(found.post_ids)} posts imported, {found.skipped} service messages skipped")
    return 0
