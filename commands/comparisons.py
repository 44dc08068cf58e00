"""`kit comparisons list|show|export|import|delete`: the comparisons that were made, and their records.

./kit comparisons list
./kit comparisons show ID
./kit comparisons show ID --beside ID         two comparisons in one table, and what differs in their conditions
./kit comparisons export ID comparison.zip
./kit comparisons import comparison.zip       also one that was made on another machine
./kit comparisons delete ID
"""

import argparse
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from commands.common import cards, client
from commands.common.console import DONE, USAGE, Problem, say, table


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("what", nargs="?", metavar="ID|FILE", help="the comparison's id; for import: a file")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the file to write, for export")
    parser.add_argument("--beside", metavar="ID", help="another comparison, for show")
    parser.add_argument("--json", action="store_true", help="the answer of the API")


def main(options: argparse.Namespace) -> int:
    if options.action != "list" and not options.what:
        raise Problem(f"{options.action} needs a comparison's id, or a file", "./kit comparisons list", code=USAGE)
    if options.beside and options.action != "show":
        raise Problem(
            f"--beside does not go with {options.action}", "./kit comparisons show ID --beside ID", code=USAGE
        )
    return ACTIONS[options.action](options)


def show_list(options: argparse.Namespace) -> int:
    found = client.call("GET", "/api/comparisons")["comparisons"]
    if options.json:
        print(json.dumps(found))
        return DONE
    rows = [
        (each["id"], each["request"]["name"], each["state"], each["request"]["count"], len(each["marks"]),
         datetime.fromtimestamp(each["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S"))
        for each in found
    ]  # fmt: skip
    print(table(rows, ("id", "name", "state", "jobs", "faults", "made"), right=(3, 4)) if rows else "none yet")
    return DONE


def show_one(options: argparse.Namespace) -> int:
    address = f"/api/comparisons/{options.what}"
    found = client.call("GET", f"{address}/beside/{options.beside}" if options.beside else address)
    if options.json:
        print(json.dumps(found))
    elif options.beside:
        print(cards.two(found))
    elif found["result"] is None:
        print(f"{found['request']['name']}: {found['state']}, it has no result yet")
    else:
        print(cards.one(found["result"]))
    return DONE


def export(options: argparse.Namespace) -> int:
    from cars_bot.comparisons import archive

    target = options.file or Path(f"comparison-{options.what}.zip")
    client.call("GET", f"/api/comparisons/{options.what}")  # a Problem if there is none
    target.write_bytes(archive.pack(options.what))
    say(f"{target}: {target.stat().st_size:,} bytes")
    return DONE


def take_over(options: argparse.Namespace) -> int:
    from cars_bot.comparisons import archive

    client.base_url()  # a Problem unless a kit is up: the comparison goes into its database
    comparison = archive.unpack(archive.read_file(Path(options.what)))
    print(f"{client.base_url()}/comparisons/{comparison}")
    return DONE


def delete(options: argparse.Namespace) -> int:
    from cars_bot.comparisons import archive

    archive.delete(options.what)
    return DONE


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": show_list,
    "show": show_one,
    "export": export,
    "import": take_over,
    "delete": delete,
}
