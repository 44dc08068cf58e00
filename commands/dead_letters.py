"""`kit dead-letters list|show|replay|discard`: messages that nobody will try again, on both lanes.

    ./kit dead-letters list
    ./kit dead-letters show --lane raw RUN
    ./kit dead-letters replay --lane celery RUN RUN      a new run for each, with the old run as its parent
    ./kit dead-letters discard --lane raw --all

replay and discard need either the ids of runs or --all.
"""

import argparse
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from commands.common.client import call
from commands.common.console import DONE, NO, USAGE, Problem, say, table

LANES = ("celery", "raw")
REASON = 70  # characters of a reason in the list


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do with the dead letters")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="their runs' ids, as the list shows them")
    parser.add_argument("--lane", choices=LANES, help="their lane; without it the list shows both lanes")
    parser.add_argument("--all", action="store_true", help="all dead letters of the lane, for replay and discard")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="dead letters of each lane in the list (50)")
    parser.add_argument("--json", action="store_true", help="the answer of the API")


def main(options: argparse.Namespace) -> int:
    if options.action != "list" and not options.lane:
        raise Problem(f"{options.action} needs a lane", f"./kit dead-letters {options.action} --lane raw …", code=USAGE)
    return ACTIONS[options.action](options)


def show_list(options: argparse.Namespace) -> int:
    found = call("GET", f"/api/dead-letters?limit={options.limit}" + (f"&lane={options.lane}" if options.lane else ""))
    if options.json:
        print(json.dumps(found))
        return DONE
    rows = [
        (each["lane"], each["id"], each["job"] or "–", each["queue"], when(each["died_at"]), each["reason"][:REASON])
        for each in found["letters"]
    ]
    if rows:
        print(table(rows, ("lane", "run", "job", "queue", "died", "reason")))
    for lane, total in found["totals"].items():
        say(f"{lane}: {found['notes'].get(lane) or f'{total} dead letters'}")
    return DONE


def when(at: float | None) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "–"


def show_one(options: argparse.Namespace) -> int:
    if len(options.runs) != 1:
        raise Problem("show takes exactly one RUN", "./kit dead-letters show --lane raw RUN", code=USAGE)
    print(json.dumps(call("GET", f"/api/dead-letters/{quote(options.runs[0], safe='')}?lane={options.lane}"), indent=2))
    return DONE


def replay(options: argparse.Namespace) -> int:
    answer = change("replay", options)
    if not options.json:
        print("\n".join(answer["replayed"].values()))
    for letter, why in answer["refused"].items():
        say(f"{letter} cannot be replayed: {why}")
    return all_found(answer, bool(answer["refused"]))


def discard(options: argparse.Namespace) -> int:
    answer = change("discard", options)
    if not options.json:
        print("\n".join(answer["discarded"]))
    return all_found(answer)


def change(action: str, options: argparse.Namespace) -> dict[str, Any]:
    if bool(options.runs) == options.all:
        raise Problem("give either RUN ids or --all", "./kit dead-letters list shows the ids", code=USAGE)
    which = {"all": True} if options.all else {"runs": options.runs}
    answer: dict[str, Any] = call("POST", f"/api/dead-letters/{action}", {"lane": options.lane, **which})
    if options.json:
        print(json.dumps(answer))
    return answer


def all_found(answer: dict[str, Any], refused: bool = False) -> int:
    for letter in answer["missing"]:
        say(f"there is no dead letter {letter}")
    return NO if refused or answer["missing"] else DONE


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": show_list, "show": show_one, "replay": replay, "discard": discard,
}  # fmt: skip
